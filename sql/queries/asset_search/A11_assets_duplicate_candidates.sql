-- name: A11 assets_duplicate_candidates
-- title: Which assets may have been entered twice?
-- audience: B
-- columns: reason, shared, asset_id, asset_tag, name, manufacturer, model, serial, facility, twins
-- notes: One row an asset and reason. reason is serial: the same maker, model and serial number,
--        written in any case and with any spaces or hyphens; or udi: the same device identifier
--        with the same serial number. twins counts the others.
with named as (
    select
        register.*,
        regexp_replace(upper(register.serial), '[^A-Z0-9]', '', 'g') as number
    from reporting.v_asset_register as register
),
candidate as (
    select
        'serial' as reason,
        concat_ws(' / ', upper(manufacturer), upper(model), number) as shared,
        named.*
    from named
    where number <> ''
    union all
    select 'udi', concat_ws(' / ', udi_di, number), named.*
    from named
    where number <> '' and udi_di is not null
),
counted as (
    select candidate.*, count(*) over (partition by reason, shared) - 1 as twins
    from candidate
)
select reason, shared, asset_id, asset_tag, name, manufacturer, model, serial, facility, twins
from counted
where twins > 0
order by reason, shared, asset_tag
