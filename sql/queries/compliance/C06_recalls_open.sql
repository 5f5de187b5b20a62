-- name: C06 recalls_open
-- title: Which recalls are open, how many devices do they concern, and how far are we?
-- audience: Q
-- param: as_of timestamptz = now
-- columns: severity_rank, recall_class, agency, number, title, manufacturer, published_on,
--          received_at, due_on, days_open, is_overdue, affected, needs_inspection, located, done,
--          not_found
-- notes: One row an open recall, class I (the most serious) first; also those that concern nothing
--        here. located: was seen in a room or found by hand; done: corrected or removed. A device
--        that cannot be told for want of a lot or serial number is in needs_inspection.
select
    recall.severity_rank,
    recall.recall_class,
    recall.agency,
    recall.number,
    recall.title,
    recall.manufacturer,
    recall.published_on,
    recall.received_at,
    recall.due_on,
    floor(extract(epoch from %(as_of)s::timestamptz - recall.received_at) / 86400)::integer
        as days_open,
    coalesce(recall.due_on < (%(as_of)s::timestamptz at time zone 'UTC')::date, false)
        as is_overdue,
    count(*) filter (where exposed.assessment = 'AFFECTED') as affected,
    count(*) filter (where exposed.assessment = 'NEEDS_INSPECTION') as needs_inspection,
    count(*) filter (
        where exposed.located_room is not null or handled.located_at <= %(as_of)s::timestamptz
    ) as located,
    count(*) filter (where exposed.disposition in ('CORRECTED', 'REMOVED')) as done,
    count(*) filter (where exposed.disposition = 'NOT_FOUND') as not_found
from compliance.recall
left join reporting.f_v_recall_exposure(%(as_of)s::timestamptz) as exposed
    on exposed.recall_id = recall.id
left join compliance.recall_asset as handled
    on handled.recall_id = exposed.recall_id and handled.asset_id = exposed.asset_id
    and handled.deleted_at is null
where recall.deleted_at is null
    and recall.received_at <= %(as_of)s::timestamptz
    and (recall.closed_at is null or recall.closed_at > %(as_of)s::timestamptz)
group by recall.id
order by recall.severity_rank nulls last, recall.due_on nulls last, recall.number
