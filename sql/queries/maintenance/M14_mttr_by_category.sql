-- name: M14 mttr_by_category
-- title: How long are failed devices of each category away, and how long is the hands-on work?
-- audience: B
-- param: from date = today - 365 days
-- param: to date = today
-- columns: category, failures, restored, restore_mean_h, restore_p50_h, restore_p90_h, repaired,
--          repair_mean_h, repair_p50_h, repair_p90_h
-- notes: One row a device category, of failures from .. to (UTC). restore is from the failure to
--        the restoration, repair the hands-on hours; a failure that is not restored yet is in
--        failures only.
select
    failed.category,
    count(*) as failures,
    count(failed.restore_h) as restored,
    round(avg(failed.restore_h), 2) as restore_mean_h,
    round(percentile_cont(0.5) within group (order by failed.restore_h)::numeric, 2)
        as restore_p50_h,
    round(percentile_cont(0.9) within group (order by failed.restore_h)::numeric, 2)
        as restore_p90_h,
    count(failed.repair_h) as repaired,
    round(avg(failed.repair_h), 2) as repair_mean_h,
    round(percentile_cont(0.5) within group (order by failed.repair_h)::numeric, 2)
        as repair_p50_h,
    round(percentile_cont(0.9) within group (order by failed.repair_h)::numeric, 2)
        as repair_p90_h
from reporting.failures as failed
where failed.failed_at >= %(from)s::date::timestamp at time zone 'UTC'
    and failed.failed_at < (%(to)s::date + 1)::timestamp at time zone 'UTC'
group by failed.category
order by failed.category
