-- name: F13 loss_shrinkage
-- title: How many assets are lost or have not been seen for long, and what are they worth?
-- audience: C
-- param: days int = 90
-- param: as_of timestamptz = now
-- columns: facility, category, reason, currency, assets, book_value, book_value_unknown,
--          replacement_cost
-- notes: One row a facility, category, reason and currency. reason: LOST or STOLEN (disposed of so,
--        by as_of), or NOT_SEEN (in use, tagged and not heard for days; never heard counts).
--        Without a tag nothing can be said, so it is not counted. book_value is that of the primary
--        book; currency NULL: in no book.
with tagged as (
    select distinct worn.asset_id
    from registry.tag_assignment as worn
    where worn.during @> %(as_of)s::timestamptz
),
missing as (
    select
        register.asset_id, register.facility, register.category, asset.replacement_cost,
        asset.currency_code::text as asset_currency,
        case
            when disposal.id is not null then disposal.method
            else 'NOT_SEEN'
        end as reason
    from reporting.v_asset_register as register
    join registry.asset on asset.id = register.asset_id
    left join finance.disposal
        on disposal.asset_id = register.asset_id and disposal.deleted_at is null
        and disposal.disposed_on <= (%(as_of)s::timestamptz at time zone 'UTC')::date
    left join tagged on tagged.asset_id = register.asset_id
    left join tracking.asset_location_current as place on place.asset_id = register.asset_id
    where disposal.method in ('LOST', 'STOLEN')
        or (
            disposal.id is null
            and tagged.asset_id is not null
            and register.status not in ('CONDEMNED', 'RETIRED', 'DISPOSED')
            and coalesce(place.last_seen_at, '-infinity')
                < %(as_of)s::timestamptz - make_interval(days => %(days)s::int)
        )
)
select
    missing.facility,
    missing.category,
    missing.reason,
    value.currency,
    count(*) as assets,
    coalesce(sum(value.book_value), 0) as book_value,
    count(*) filter (where value.book_value is null) as book_value_unknown,
    sum(missing.replacement_cost) filter (
        where missing.asset_currency = value.currency
    ) as replacement_cost
from missing
left join reporting.f_v_depreciation(%(as_of)s::timestamptz) as value
    on value.asset_id = missing.asset_id and value.is_primary
group by missing.facility, missing.category, missing.reason, value.currency
order by missing.facility, missing.category, missing.reason, value.currency nulls last
