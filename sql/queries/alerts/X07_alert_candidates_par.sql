-- name: X07 alert_candidates_par
-- title: What would the rule about stores raise now?
-- audience: N
-- param: facility text = null
-- param: as_of timestamptz = now
-- columns: facility, room, device_type, problem, available, par_min, par_max, missing_or_surplus,
--          since, rule, severity
-- notes: A dry run: one row a store and type below its minimum (problem below) or above its maximum
--        (problem above). rule is NULL where the facility has no enabled rule of type par.
select
    facility.code as facility,
    par.room,
    par.device_type,
    case when par.shortage > 0 then 'below' else 'above' end as problem,
    par.available,
    par.par_min,
    par.par_max,
    greatest(par.shortage, par.surplus) as missing_or_surplus,
    par.since,
    rule.code as rule,
    rule.severity
from reporting.f_v_par_status(%(as_of)s::timestamptz) as par
join registry.facility on facility.id = par.facility_id
left join lateral (
    select rule.code, rule.severity
    from registry.rule
    where rule.facility_id = par.facility_id
        and rule.type = 'par'
        and rule.enabled
        and rule.deleted_at is null
    order by rule.code
    limit 1
) as rule on true
where (par.shortage > 0 or par.surplus > 0)
    and (%(facility)s::text is null or facility.code = %(facility)s::text)
order by problem desc, missing_or_surplus desc, facility.code, par.room, par.device_type
