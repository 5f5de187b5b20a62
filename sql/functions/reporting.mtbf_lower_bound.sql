-- One-sided lower confidence bound of a constant MTBF after `failures` in `exposure_h` hours:
-- 2 T / chi2(confidence, 2 failures + 2), for an observation that ended at a time rather than with
-- a failure. It exists with no failure at all, when the estimate T / failures does not.
--
-- chi2 / 2 is the expectation at which a Poisson count is at most `failures` with probability
-- 1 - confidence; found by bisection, in logarithms so that no count is too large.
create or replace function reporting.mtbf_lower_bound(
    exposure_h double precision, failures bigint, confidence double precision default 0.95
) returns double precision
language plpgsql immutable parallel safe
set search_path = pg_catalog
as $$
declare
    low double precision := failures; -- where less than half of the probability lies
    high double precision := failures + 10 + 10 * sqrt(failures + 1);
    middle double precision;
    term double precision;
    total double precision;
    log_factorial double precision;
begin
    if exposure_h is null or exposure_h <= 0 or failures is null or failures < 0 then
        return null;
    elsif confidence is null or confidence < 0.5 or confidence >= 1 then
        raise exception 'a confidence lies between 0.5 and 1, not %', confidence
            using errcode = 'invalid_parameter_value';
    elsif failures = 0 then
        return exposure_h / -ln(1 - confidence);
    end if;
    log_factorial := (
        select sum(ln(number::double precision)) from generate_series(1, failures) as number
    );
    for step in 1 .. 60 loop
        middle := (low + high) / 2;
        -- The Poisson terms from the largest count down, relative to that one.
        term := 1;
        total := 1;
        for count in reverse failures .. 1 loop
            term := term * count / middle;
            total := total + term;
            exit when term < total * 1e-16;
        end loop;
        if ln(total) + failures * ln(middle) - middle - log_factorial
            > ln(1 - confidence)
        then
            low := middle;
        else
            high := middle;
        end if;
        exit when high - low < 1e-12 * high;
    end loop;
    return exposure_h / high;
end
$$;
comment on function reporting.mtbf_lower_bound(double precision, bigint, double precision) is
    '2 T / chi2(confidence, 2 failures + 2): the MTBF is at least this, one-sided.';
grant execute on function reporting.mtbf_lower_bound(double precision, bigint, double precision)
    to biotrakr_analyst, biotrakr_app;
