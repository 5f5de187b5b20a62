-- name: O09 unknown_tags
-- title: Which tags are heard that nothing wears?
-- audience: O
-- param: facility text = null
-- param: heard_within interval = 7 days
-- param: as_of timestamptz = now
-- param: most int = 500
-- columns: tag, facility, building, first_seen_at, last_seen_at, reads, registered
-- notes: One row a tag and facility, the most heard first. registered: the tag is in the registry and
--        only not on an asset of this facility; else it is a stranger's, or was never entered.
select
    heard.tag,
    heard.facility_code as facility,
    heard.building_code as building,
    heard.first_seen_at,
    heard.last_seen_at,
    heard.reads,
    heard.tag_id is not null as registered
from reporting.unknown_tags as heard
where heard.last_seen_at > %(as_of)s::timestamptz - %(heard_within)s::interval
    and (%(facility)s::text is null or heard.facility_code = %(facility)s::text)
order by heard.reads desc, heard.tag, heard.facility_code
limit %(most)s::int
