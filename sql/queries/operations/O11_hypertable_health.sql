-- name: O11 hypertable_health
-- title: How large is each hypertable, how old, and does anything lie in the future?
-- audience: O
-- role: operator
-- columns: hypertable, chunks, compressed, total_mb, index_pct, approximate_rows, oldest, newest,
--          future_chunks
-- notes: One row a hypertable, the largest first. oldest and newest are bounds of its chunks. Chunks
--        that begin more than a day from now were made by a reader with a wrong clock.
select
    health.hypertable,
    health.chunks,
    health.compressed,
    round(health.total_bytes / 1048576.0, 1) as total_mb,
    health.index_pct,
    health.approximate_rows,
    health.oldest,
    health.newest,
    health.in_the_future as future_chunks
from reporting.v_hypertable_health as health
order by health.total_bytes desc nulls last, health.hypertable
