-- name: P07 calibration_bins
-- title: Does a predicted probability mean what it says?
-- audience: B, O
-- param: from timestamptz = now - 1 year
-- param: to timestamptz = now
-- param: model text = null
-- param: bins int = 10
-- columns: model, version, bin, n, p_from, p_to, mean_p, observed, wilson_low, wilson_high,
--          within
-- notes: One row a model and bin of equally many predictions, from the lowest. observed is the share
--        that failed, with its 95 percent Wilson interval; within: the mean prediction lies in it.
--        Censored predictions are left out.
with judged as (
    select
        outcome.model_id,
        outcome.p_failure as p,
        (outcome.outcome = 'FAILED')::integer as failed,
        ntile(%(bins)s::int) over (
            partition by outcome.model_id order by outcome.p_failure, outcome.id
        ) as bin
    from prediction.outcome
    join prediction.model on model.id = outcome.model_id
    join registry.asset on asset.id = outcome.asset_id and asset.deleted_at is null
    where outcome.as_of >= %(from)s::timestamptz
        and outcome.as_of < %(to)s::timestamptz
        and outcome.outcome <> 'CENSORED'
        and outcome.deleted_at is null
        and (%(model)s::text is null or model.name = %(model)s::text)
),
bin as (
    select
        judged.model_id,
        judged.bin,
        count(*)::double precision as n,
        min(judged.p) as p_from,
        max(judged.p) as p_to,
        avg(judged.p) as mean_p,
        avg(judged.failed)::double precision as observed
    from judged
    group by judged.model_id, judged.bin
),
wilson as (
    select
        bin.*,
        (bin.observed + z.z2 / (2 * bin.n)) / (1 + z.z2 / bin.n) as middle,
        sqrt(z.z2 * (bin.observed * (1 - bin.observed) / bin.n + z.z2 / (4 * bin.n ^ 2)))
        / (1 + z.z2 / bin.n) as half
    from bin
    cross join (select 1.959963984540054 ^ 2 as z2) as z
)
select
    model.name as model,
    model.model_version as version,
    wilson.bin,
    wilson.n::bigint as n,
    wilson.p_from,
    wilson.p_to,
    round(wilson.mean_p::numeric, 4) as mean_p,
    round(wilson.observed::numeric, 4) as observed,
    round(greatest(wilson.middle - wilson.half, 0)::numeric, 4) as wilson_low,
    round(least(wilson.middle + wilson.half, 1)::numeric, 4) as wilson_high,
    wilson.mean_p between wilson.middle - wilson.half and wilson.middle + wilson.half as within
from wilson
join prediction.model on model.id = wilson.model_id
order by model.name, model.model_version, wilson.bin
