-- What can this installation do? For operators: it is nobody's tenant data.
drop view if exists reporting.v_platform_capabilities;
create view reporting.v_platform_capabilities with (security_invoker = true) as
select
    capability.name,
    capability.available,
    capability.detail,
    capability.checked_at,
    current_setting('server_version') as postgres,
    (select extversion from pg_catalog.pg_extension where extname = 'timescaledb') as timescaledb,
    current_setting('timescaledb.license', true) as edition
from ops.capability;

comment on view reporting.v_platform_capabilities is
    'Operators only: what this edition of TimescaleDB offers, and versions.';
grant select on reporting.v_platform_capabilities to biotrakr_backup;
