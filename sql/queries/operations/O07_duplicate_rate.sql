-- name: O07 duplicate_rate
-- title: How much comes twice?
-- audience: O
-- param: from timestamptz = now - 1 day
-- param: to timestamptz = now
-- param: facility text = null
-- columns: facility, building, windows, windows_with, duplicate_batches, reads, per_1000_windows
-- notes: One row a building. Duplicates are batches that a gateway sent again and that were dropped:
--        normal after an outage or a restart, a sign of lost acknowledgements when it goes on.
select
    written.facility_code as facility,
    written.building_code as building,
    count(*) as windows,
    count(*) filter (where written.duplicates > 0) as windows_with,
    sum(written.duplicates) as duplicate_batches,
    sum(written.reads) as reads,
    round(1000.0 * sum(written.duplicates) / count(*), 2) as per_1000_windows
from reporting.ingest_windows as written
where written.window_end >= %(from)s::timestamptz
    and written.window_end < %(to)s::timestamptz
    and written.revision = 0
    and (%(facility)s::text is null or written.facility_code = %(facility)s::text)
group by written.facility_code, written.building_code
order by per_1000_windows desc, written.facility_code, written.building_code
