-- The share of time a device works when nothing but failures and their repair stops it.
create or replace function reporting.inherent_availability(
    mtbf_h double precision, mttr_h double precision
) returns double precision
language sql immutable parallel safe
return mtbf_h / nullif(mtbf_h + mttr_h, 0);
comment on function reporting.inherent_availability(double precision, double precision) is
    'MTBF / (MTBF + MTTR), 0 to 1; MTTR from the failure to the restoration.';
grant execute on function
    reporting.inherent_availability(double precision, double precision)
    to biotrakr_analyst, biotrakr_app;
