-- name: C05 safety_test_trend
-- title: How have the leakage and earth values of a device moved since its first test?
-- audience: B
-- param: tag text
-- columns: test, method, part, performed_on, value, unit, limit_value, pct_of_limit, first_value,
--          change_pct, pass, standard
-- notes: One row a measured value of an electrical safety test, by test and time. first_value is
--        the reference: the first one of the same test, method, part and unit. pct_of_limit is NULL
--        without a limit.
select
    measured.test,
    measured.method,
    measured.part,
    inspection.performed_on,
    measured.value,
    measured.unit,
    measured.limit_value,
    round(100 * measured.value / nullif(measured.limit_value, 0), 1) as pct_of_limit,
    first_value(measured.value) over series as first_value,
    round(
        100 * (measured.value / nullif(first_value(measured.value) over series, 0) - 1), 1
    ) as change_pct,
    measured.pass,
    standard.code || ' ' || standard.edition as standard
from reporting.v_asset_register as register
join compliance.inspection
    on inspection.asset_id = register.asset_id
    and inspection.kind = 'ELECTRICAL_SAFETY' and inspection.deleted_at is null
join compliance.measurement as measured
    on measured.inspection_id = inspection.id and measured.deleted_at is null
left join compliance.standard on standard.id = inspection.standard_id
where upper(register.asset_tag) = upper(btrim(%(tag)s::text))
window series as (
    partition by register.asset_id, measured.test, measured.method, measured.part, measured.unit
    order by inspection.performed_on, inspection.created_at, measured.id
)
order by measured.test, measured.method, measured.part, inspection.performed_on, measured.value
