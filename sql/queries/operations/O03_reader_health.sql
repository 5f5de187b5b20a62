-- name: O03 reader_health
-- title: Which readers hear nothing?
-- audience: O
-- param: silent_minutes numeric = 10
-- param: facility text = null
-- param: as_of timestamptz = now
-- columns: facility, building, gateway, gateway_state, status_at, reader, kind, reader_state,
--          last_heard_at, reads_per_min, restarts, problem, error
-- notes: One row a reader as its gateway last reported it; a gateway that never reported, or reports
--        no reader, is a row without one. Problems first. reads_per_min is the mean since its agent
--        started. silent: nothing heard for silent_minutes, or by its own account.
select judged.*
from (
    select
        health.facility_code as facility,
        health.building_code as building,
        health.gateway_code as gateway,
        health.state as gateway_state,
        health.status_at,
        reader.name as reader,
        reader.kind,
        reader.state as reader_state,
        reader.last_heard_at,
        round((
            reader.reads * 60 / nullif(extract(epoch from
                health.status_at - (health.payload ->> 'started_at')::timestamptz
            ), 0)
        )::numeric, 1) as reads_per_min,
        reader.restarts,
        case
            when health.state is null then 'never reported'
            when health.state = 'offline' then 'gateway offline'
            when reader.name is null then 'no reader'
            when reader.state in ('failed', 'silent') then reader.state
            when coalesce(
                reader.last_heard_at < %(as_of)s::timestamptz
                - make_interval(secs => 60 * %(silent_minutes)s::numeric::double precision), true
            ) then 'silent'
        end as problem,
        reader.error
    from reporting.gateway_health as health
    left join lateral jsonb_to_recordset(
        case
            when jsonb_typeof(health.payload -> 'readers') = 'array' then health.payload -> 'readers'
            else '[]'
        end
    ) as reader (
        name text, kind text, state text, reads bigint, restarts bigint,
        last_heard_at timestamptz, error text
    ) on true
    where health.enabled and (%(facility)s::text is null or health.facility_code = %(facility)s::text)
) as judged
order by
    judged.problem is null, judged.facility, judged.building, judged.gateway, judged.reader
