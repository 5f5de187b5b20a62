-- The closed value sets, and what every table of a tenant has in common.
--
-- A value set is a domain over text: one place says what is allowed, and comparisons stay those of
-- text, which are leakproof, so that row security can use an index (those of an enum are not).

create domain app.criticality as text
    check (value in ('CRITICAL', 'HIGH', 'MEDIUM', 'LOW'));
create domain app.risk_class as text -- III is the highest risk
    check (value in ('CLASS_I', 'CLASS_II', 'CLASS_III'));
create domain app.recall_class as text -- I is the most serious
    check (value in ('CLASS_I', 'CLASS_II', 'CLASS_III'));
create domain app.device_category as text
    check (value in (
        'IMAGING', 'LABORATORY', 'SURGICAL', 'PATIENT_MONITORING', 'THERAPEUTIC', 'LIFE_SUPPORT',
        'DIAGNOSTIC', 'ANESTHESIA', 'STERILIZATION', 'SUPPORT_EQUIPMENT', 'IT_MEDICAL', 'OTHER'
    ));
create domain app.failure_category as text
    check (value in (
        'ELECTRICAL', 'MECHANICAL', 'SOFTWARE', 'HYDRAULIC', 'PNEUMATIC', 'SENSOR', 'CALIBRATION',
        'USER_ERROR', 'UNKNOWN'
    ));
create domain app.depreciation_method as text
    check (value in (
        'STRAIGHT_LINE', 'DECLINING_BALANCE', 'DOUBLE_DECLINING', 'UNITS_OF_PRODUCTION',
        'SUM_OF_YEARS_DIGITS'
    ));
create domain app.sync_status as text
    check (value in ('SYNCED', 'PENDING', 'FAILED', 'NOT_CONFIGURED'));
create domain app.service_level as text
    check (value in (
        'TWO_HOURS', 'FOUR_HOURS', 'EIGHT_HOURS', 'TWENTY_FOUR_HOURS', 'NEXT_DAY', 'BEST_EFFORT'
    ));
create domain app.waste_handling as text
    check (value in (
        'STANDARD', 'BIOHAZARD', 'RADIOACTIVE', 'CHEMICAL', 'SHARPS', 'PHARMACEUTICAL'
    ));
create domain app.work_order_status as text
    check (value in (
        'PENDING', 'ASSIGNED', 'IN_PROGRESS', 'AWAITING_PARTS', 'ON_HOLD', 'COMPLETED', 'CANCELLED'
    ));
create domain app.work_order_type as text
    check (value in (
        'PREVENTIVE_MAINTENANCE', 'CORRECTIVE_MAINTENANCE', 'CALIBRATION', 'INSPECTION',
        'EMERGENCY_REPAIR', 'INSTALLATION', 'DECOMMISSIONING'
    ));
create domain app.vendor_type as text
    check (value in ('MANUFACTURER', 'DISTRIBUTOR', 'SERVICE_PROVIDER', 'PARTS_SUPPLIER'));
create domain app.udi_issuer as text
    check (value in ('GS1', 'HIBCC', 'ICCBBA', 'IFA'));
create domain app.test_result as text
    check (value in ('PASS', 'FAIL', 'CONDITIONAL'));
create domain app.maintenance_strategy as text -- the manufacturer's, or an alternative of one's own
    check (value in ('OEM', 'AEM'));
create domain app.currency_code as text -- ISO 4217
    check (value ~ '^[A-Z]{3}$');
create domain app.content_url as text
    check (length(value) <= 255 and value ~ '^(https?|s3|file)://[^[:space:]]+$');

-- Constants of the search: the same folding for what is stored and what is asked. unaccent() itself
-- is only stable, because its dictionary could be another one.
create function app.fold(words text) returns text
language sql immutable parallel safe strict
set search_path = pg_catalog
as $$ select lower(public.unaccent('public.unaccent'::regdictionary, words)) $$;
comment on function app.fold(text) is 'Lower case without accents, for searching.';
grant execute on function app.fold(text)
    to biotrakr_analyst, biotrakr_app, biotrakr_ingest, biotrakr_backfill, biotrakr_backup;

-- Analysts may name the tables too: it is row security, enabled and forced on each, that confines
-- them, not the names. Hypertables, chunks and the dataflow's books stay out of reach.
grant usage on schema registry, tracking, maintenance, compliance, finance, prediction, audit
    to biotrakr_analyst;
grant usage on schema maintenance, compliance, finance, prediction, audit
    to biotrakr_app, biotrakr_backup;

-- What every table of a tenant gets, once, after its own columns are said:
-- organization_id comes first in its own definition; here come stamps, version, the target of
-- composite foreign keys, row security, grants, and the triggers that keep version, stamps and
-- audit. `scope` says how a login that is confined to some facilities is confined here:
-- 'facility' (by its facility_id; rows of no facility are the organization's), 'asset' (what it may
-- see of registry.asset), 'x_id in schema.table' (what it may see there) or 'organization' (not at
-- all). What a job computes, and computes again, is not audited.
create procedure ops.finish_table(
    finished regclass, scope text, append_only boolean default false, audited boolean default true
)
language plpgsql
set search_path = pg_catalog
as $$
declare
    visible constant text := case
        when scope = 'facility' then
            'facility_id is null or facility_id = any ((select app.current_facilities())::uuid[])'
        when scope = 'asset' then
            'asset_id is null or asset_id in (select asset.id from registry.asset)'
        when scope like '% in %' then
            format(
                '%s in (select seen.id from %s as seen)',
                split_part(scope, ' in ', 1), split_part(scope, ' in ', 2)
            )
    end;
begin
    if visible is null and scope <> 'organization' then
        raise exception 'scope % is unknown', scope;
    end if;
    execute format(
        'alter table %s
         add column created_at timestamptz not null default now(),
         add column created_by uuid,
         add column updated_at timestamptz not null default now(),
         add column updated_by uuid,
         add column deleted_at timestamptz,
         add column deleted_by uuid,
         add column version integer not null default 1,
         add unique (organization_id, id)', finished);
    execute format('alter table %s enable row level security', finished);
    execute format('alter table %s force row level security', finished);
    execute format(
        'create policy tenant on %s to biotrakr_owner, biotrakr_analyst, biotrakr_app
         using (organization_id = (select app.current_org()))
         with check (organization_id = (select app.current_org()))', finished);
    if visible is not null then
        execute format(
            'create policy facility on %s as restrictive
             to biotrakr_owner, biotrakr_analyst, biotrakr_app
             using ((select app.current_facilities()) is null or %s)', finished, visible);
    end if;
    execute format('grant select on %s to biotrakr_analyst, biotrakr_backup', finished);
    if append_only then
        execute format('grant select, insert on %s to biotrakr_app', finished);
    else
        execute format('grant select, insert, update on %s to biotrakr_app', finished);
    end if;
    execute format(
        'create trigger stamp before insert or update on %s
         for each row execute function registry.stamp()', finished);
    execute format(
        'create trigger touch before update on %s
         for each row execute function registry.touch()', finished);
    if not audited then
        return;
    end if;
    execute format(
        'create constraint trigger audit after insert or update or delete on %s
         deferrable initially deferred
         for each row execute function audit.record(%L)', finished, finished::text);
end
$$;
comment on procedure ops.finish_table(regclass, text, boolean, boolean) is
    'Stamps, version, row security, grants and triggers of a tenant''s table; for migrations.';
