-- name: M04 pm_completion_rate
-- title: How much preventive maintenance was completed on time each month, high-risk apart?
-- audience: Q, B
-- param: from date = today - 365 days
-- param: to date = today
-- param: facility text = null
-- param: as_of timestamptz = now
-- columns: month, risk_group, scheduled, completed, on_time, not_located, in_use, other_missed,
--          pending, completion_pct
-- notes: One row a month (of from to that of to) and risk group. completion_pct is what was done
--        within its grace over what came due; NULL in a month in which nothing did.
with month as (
    select generate_series(
        date_trunc('month', %(from)s::date::timestamp), %(to)s::date::timestamp, interval '1 month'
    )::date as month
    where exists (select from registry.facility)
),
risk as (
    select unnest(array['HIGH_RISK', 'OTHER']) as risk_group
),
counted as (
    select
        done.month,
        done.risk_group,
        sum(done.scheduled) as scheduled,
        sum(done.completed) as completed,
        sum(done.on_time) as on_time,
        sum(done.not_located) as not_located,
        sum(done.in_use) as in_use,
        sum(done.other_missed) as other_missed,
        sum(done.pending) as pending
    from reporting.f_v_pm_compliance_monthly(%(as_of)s::timestamptz) as done
    where %(facility)s::text is null or done.facility = %(facility)s::text
    group by done.month, done.risk_group
)
select
    month.month,
    risk.risk_group,
    coalesce(counted.scheduled, 0) as scheduled,
    coalesce(counted.completed, 0) as completed,
    coalesce(counted.on_time, 0) as on_time,
    coalesce(counted.not_located, 0) as not_located,
    coalesce(counted.in_use, 0) as in_use,
    coalesce(counted.other_missed, 0) as other_missed,
    coalesce(counted.pending, 0) as pending,
    round(100.0 * counted.on_time / nullif(counted.scheduled, 0), 2) as completion_pct
from month
cross join risk
left join counted on counted.month = month.month and counted.risk_group = risk.risk_group
order by month.month, risk.risk_group
