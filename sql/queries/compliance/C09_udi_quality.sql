-- name: C09 udi_quality
-- title: How many devices lack a sound UDI, by issuing agency?
-- audience: Q
-- param: facility text = null
-- columns: issuer, assets, sound, missing, check_failed, malformed, not_checked, issuer_unknown,
--          sound_pct
-- notes: One row an issuer (NULL: no identifier, or nobody knows whose) of assets that are not
--        retired. A failed check character is a warning: makers print wrong ones.
select
    quality.issuer,
    count(*) as assets,
    count(*) filter (where quality.problem is null) as sound,
    count(*) filter (where quality.problem = 'missing') as missing,
    count(*) filter (where not quality.check_ok and quality.udi_di is not null) as check_failed,
    count(*) filter (
        where quality.problem is not null
            and quality.problem not in ('missing', 'issuer unknown', 'not checked')
            and quality.check_ok is distinct from false
    ) as malformed,
    count(*) filter (where quality.problem = 'not checked') as not_checked,
    count(*) filter (where quality.problem = 'issuer unknown') as issuer_unknown,
    round(100.0 * count(*) filter (where quality.problem is null) / count(*), 1) as sound_pct
from reporting.v_udi_quality as quality
join reporting.v_asset_register as register on register.asset_id = quality.asset_id
where register.status not in ('CONDEMNED', 'RETIRED', 'DISPOSED')
    and (%(facility)s::text is null or register.facility = %(facility)s::text)
group by quality.issuer
order by quality.issuer nulls last
