-- name: L15 par_status
-- title: Which stores hold fewer clean, free units than they must, or more than they may?
-- audience: N
-- param: facility text = null
-- param: breached_only bool = false
-- param: as_of timestamptz = now
-- columns: facility, room, device_type, par_min, par_max, available, shortage, surplus, since
-- notes: One row a store and type, the largest shortage first. since is bounded by the last 7 days.
select
    facility.code as facility,
    par.room,
    par.device_type,
    par.par_min,
    par.par_max,
    par.available,
    par.shortage,
    par.surplus,
    par.since
from reporting.f_v_par_status(%(as_of)s::timestamptz) as par
join registry.facility on facility.id = par.facility_id
where (%(facility)s::text is null or facility.code = %(facility)s::text)
    and (not %(breached_only)s::bool or par.shortage > 0 or par.surplus > 0)
order by par.shortage desc, par.surplus desc, facility.code, par.room, par.device_type
