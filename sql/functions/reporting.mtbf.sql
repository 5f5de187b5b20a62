-- Mean operating time between failures. The hours since the last failure count in the exposure, as
-- do those of assets that never failed; without any failure there is no mean.
create or replace function reporting.mtbf(exposure_h double precision, failures bigint)
returns double precision
language sql immutable parallel safe
return exposure_h / nullif(failures, 0);
comment on function reporting.mtbf(double precision, bigint) is
    'Hours of exposure over failures; NULL without a failure: see mtbf_lower_bound.';
grant execute on function reporting.mtbf(double precision, bigint)
    to biotrakr_analyst, biotrakr_app;
