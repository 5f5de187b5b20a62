-- name: M12 repeat_repairs
-- title: Which assets failed again in the same way soon after a repair?
-- audience: B
-- param: days int = 30
-- param: from date = today - 365 days
-- param: to date = today
-- columns: asset_tag, name, manufacturer, model, facility, failure_category, first_number,
--          restored_at, again_number, failed_again_at, days_between, technician, vendor
-- notes: One row a failure within days of the restoration of the one before it in the same
--        category, of failures from .. to (UTC). A category that is not recorded repeats nothing.
with failed as (
    select
        failures.*,
        lag(failures.number) over before as earlier_number,
        lag(failures.restored_at) over before as earlier_restored_at,
        lag(failures.technician_id) over before as earlier_technician_id,
        lag(failures.vendor_id) over before as earlier_vendor_id
    from reporting.failures
    where failures.failure_category is not null
    window before as (
        partition by failures.asset_id, failures.failure_category order by failures.failed_at
    )
)
select
    asset.asset_tag,
    asset.name,
    asset.manufacturer,
    asset.model,
    asset.facility,
    failed.failure_category,
    failed.earlier_number as first_number,
    failed.earlier_restored_at as restored_at,
    failed.number as again_number,
    failed.failed_at as failed_again_at,
    round(extract(epoch from failed.failed_at - failed.earlier_restored_at) / 86400, 1)
        as days_between,
    technician.display_name as technician,
    vendor.name as vendor
from failed
join reporting.v_asset_register as asset on asset.asset_id = failed.asset_id
left join registry.user_account as technician on technician.id = failed.earlier_technician_id
left join registry.vendor on vendor.id = failed.earlier_vendor_id
where failed.failed_at >= failed.earlier_restored_at
    and failed.failed_at <= failed.earlier_restored_at + make_interval(days => %(days)s::int)
    and failed.failed_at >= %(from)s::date::timestamp at time zone 'UTC'
    and failed.failed_at < (%(to)s::date + 1)::timestamp at time zone 'UTC'
order by asset.asset_tag, failed.failed_at
