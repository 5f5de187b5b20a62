-- name: O06 ingest_rejects
-- title: Which messages were refused, from where and why?
-- audience: O
-- param: from timestamptz = now - 7 days
-- param: to timestamptz = now
-- columns: reason, topic, facility, messages, times, last_at, detail
-- notes: One row a reason and topic, the most often first; a message that came again counts in times.
--        Of messages whose topic names the organization; detail is that of the newest.
select
    refused.reason,
    refused.topic,
    refused.facility_code as facility,
    count(*) as messages,
    sum(refused.times) as times,
    max(refused.last_at) as last_at,
    public.last(refused.detail, refused.last_at) as detail
from reporting.ingest_rejects as refused
where refused.last_at >= %(from)s::timestamptz and refused.last_at < %(to)s::timestamptz
group by refused.reason, refused.topic, refused.facility_code
order by times desc, refused.reason, refused.topic
