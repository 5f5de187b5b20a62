-- The asset: what is its own, how it is searched, and what hangs on it.
--
-- A site file knows nine columns of an asset, the requirements thirty more that must be there. So
-- `complete` is a promise that a constraint keeps: import and application make it, a site file does
-- not, and reporting.v_asset_incomplete says what is missing of the rest.

alter table registry.organization
    add column created_by uuid, add column updated_by uuid, add column deleted_by uuid;
alter table registry.facility
    add column created_by uuid, add column updated_by uuid, add column deleted_by uuid,
    add column currency_code app.currency_code,
    add column fiscal_year_start_month integer not null default 1
        check (fiscal_year_start_month between 1 and 12);
comment on column registry.facility.fiscal_year_start_month is
    'A fiscal year is named after the calendar year in which it ends.';
alter table registry.building
    add column created_by uuid, add column updated_by uuid, add column deleted_by uuid,
    add column latitude double precision check (latitude between -90 and 90),
    add column longitude double precision check (longitude between -180 and 180),
    add column bearing_deg double precision check (bearing_deg >= 0 and bearing_deg < 360);
comment on column registry.building.latitude is
    'WGS 84, of the point (0, 0) of its plane; longitude likewise.';
comment on column registry.building.bearing_deg is
    'From north clockwise to the plane''s y axis; null counts as 0.';
alter table registry.floor
    add column created_by uuid, add column updated_by uuid, add column deleted_by uuid;
alter table registry.room
    add column created_by uuid, add column updated_by uuid, add column deleted_by uuid,
    add column beds integer not null default 0 check (beds >= 0),
    add column department_id uuid;
alter table registry.room
    add foreign key (organization_id, department_id)
    references registry.department (organization_id, id);
comment on column registry.room.department_id is 'Whose room it is: the unit of nurse managers.';
alter table registry.zone
    add column created_by uuid, add column updated_by uuid, add column deleted_by uuid,
    add column is_exit boolean not null default false;
comment on column registry.zone.is_exit is 'Beside a way out: what falls silent here has left.';
alter table registry.gateway
    add column created_by uuid, add column updated_by uuid, add column deleted_by uuid;
alter table registry.receiver
    add column created_by uuid, add column updated_by uuid, add column deleted_by uuid;
alter table registry.tag
    add column created_by uuid, add column updated_by uuid, add column deleted_by uuid;
alter table registry.tag_assignment
    add column created_by uuid, add column updated_by uuid;
alter table registry.rule
    add column created_by uuid, add column updated_by uuid, add column deleted_by uuid,
    add column parameters jsonb not null default '{}' check (jsonb_typeof(parameters) = 'object'),
    drop constraint rule_type_check,
    add constraint rule_type_check check (type in (
        'forbidden-zone', 'pm-due', 'calibration-due', 'warranty-end', 'idle', 'par', 'battery',
        'not-seen', 'recall'
    ));
-- The rooms of a department.
create index room_department on registry.room (organization_id, department_id)
    where department_id is not null;

create table registry.alert_policy (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references registry.organization (id),
    name text not null check (name <> ''),
    is_default boolean not null default false,
    pm_days_before integer not null default 14 check (pm_days_before between 0 and 365),
    calibration_days_before integer default 30 check (calibration_days_before between 0 and 365),
    warranty_days_before integer default 90 check (warranty_days_before between 0 and 730),
    geofence_enabled boolean not null default true,
    idle_days integer check (idle_days between 1 and 3650),
    recipients jsonb not null default '[]' check (jsonb_typeof(recipients) = 'array'),
    escalation_enabled boolean not null default false,
    escalation_delay_h integer check (escalation_delay_h between 1 and 720),
    constraint alert_policy_escalates_after_a_time
        check (not escalation_enabled or escalation_delay_h is not null)
);
comment on table registry.alert_policy is
    'When whom to tell about an asset; the default one holds for assets that name none.';
call ops.finish_table('registry.alert_policy', 'organization');
-- Keeps names apart.
create unique index alert_policy_name on registry.alert_policy (organization_id, name)
    where deleted_at is null;
-- At most one default.
create unique index alert_policy_default on registry.alert_policy (organization_id)
    where is_default and deleted_at is null;

create table registry.funding_source (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references registry.organization (id),
    name text not null check (length(name) between 1 and 100),
    kind text not null check (kind in ('OPERATING', 'CAPITAL', 'GRANT', 'DONATION', 'LEASE')),
    grant_number text check (length(grant_number) <= 50),
    restriction text,
    restricted_until date
);
comment on table registry.funding_source is 'Whose money; restriction is what it must be used for.';
call ops.finish_table('registry.funding_source', 'organization');
-- Keeps names apart.
create unique index funding_source_name on registry.funding_source (organization_id, name)
    where deleted_at is null;

alter table registry.asset
    add column created_by uuid, add column updated_by uuid, add column deleted_by uuid,
    add column deleted_reason text,
    add column complete boolean not null default false,
    add column device_model_id uuid,
    add column criticality app.criticality,
    -- identification
    add column udi_issuer app.udi_issuer,
    add column udi_di text check (length(udi_di) between 1 and 100),
    add column udi_pi text check (length(udi_pi) between 1 and 100),
    add column udi_carrier text check (length(udi_carrier) <= 250),
    add column udi_check_ok boolean,
    add column udi_problem text,
    add column lot_number text check (length(lot_number) <= 50),
    add column manufactured_on date,
    add column expires_on date,
    -- procurement
    add column vendor_id uuid,
    add column purchase_order_number text check (length(purchase_order_number) <= 50),
    add column invoice_number text check (length(invoice_number) <= 50),
    add column purchased_on date,
    add column installed_on date,
    add column in_service_on date,
    add column purchase_cost numeric(12, 2) check (purchase_cost >= 0),
    add column currency_code app.currency_code,
    add column funding_source_id uuid,
    add column replacement_cost numeric(12, 2) check (replacement_cost >= 0),
    add column residual_value numeric(12, 2) check (residual_value >= 0),
    add column downtime_cost_per_hour numeric(10, 2) check (downtime_cost_per_hour >= 0),
    add column ownership text not null default 'OWNED'
        check (ownership in ('OWNED', 'LEASED', 'RENTED', 'LOANED', 'CONSIGNED')),
    -- what this one has, beside its model's
    add column specifications jsonb not null default '{}'
        check (jsonb_typeof(specifications) = 'object'),
    add column software_version text check (length(software_version) <= 50),
    add column operating_system text check (length(operating_system) <= 50),
    add column mac_address macaddr,
    add column ip_address inet,
    -- responsibility
    add column department_id uuid,
    add column custodian_id uuid,
    add column home_room_id uuid,
    add column requires_checkout boolean not null default false,
    add column alert_policy_id uuid,
    add column auto_work_orders boolean not null default true,
    add column retired_on date,
    add column attachment_path text check (length(attachment_path) <= 255),
    add column notes text;
alter table registry.asset
    add foreign key (organization_id, device_model_id)
        references registry.device_model (organization_id, id),
    add foreign key (organization_id, vendor_id) references registry.vendor (organization_id, id),
    add foreign key (organization_id, funding_source_id)
        references registry.funding_source (organization_id, id),
    add foreign key (organization_id, department_id)
        references registry.department (organization_id, id),
    add foreign key (organization_id, custodian_id)
        references registry.user_account (organization_id, id),
    add foreign key (organization_id, home_room_id) references registry.room (organization_id, id),
    add foreign key (organization_id, alert_policy_id)
        references registry.alert_policy (organization_id, id),
    add foreign key (organization_id, created_by)
        references registry.user_account (organization_id, id),
    add foreign key (organization_id, updated_by)
        references registry.user_account (organization_id, id),
    add foreign key (organization_id, deleted_by)
        references registry.user_account (organization_id, id),
    add constraint asset_is_complete_as_promised check (
        not complete or (
            device_model_id is not null and criticality is not null and udi_di is not null
            and vendor_id is not null and purchased_on is not null and purchase_cost is not null
            and currency_code is not null and custodian_id is not null
            and department_id is not null and created_by is not null
            and manufacturer not in ('', 'unknown') and model not in ('', 'unknown')
            and serial_number not in ('', 'unknown')
        )
    ),
    -- A wrong check digit is a flag (udi_check_ok), for makers get it wrong; a wrong shape is not.
    add constraint asset_gtin_has_14_digits
        check (udi_issuer <> 'GS1' or udi_di ~ '^[0-9]{14}$'),
    add constraint asset_cost_has_a_currency
        check (purchase_cost is null or currency_code is not null),
    add constraint asset_is_retired_when_it_says_so
        check (retired_on is null or status in ('CONDEMNED', 'RETIRED', 'DISPOSED')),
    add constraint asset_is_installed_after_it_was_made
        check (installed_on >= manufactured_on);
comment on column registry.asset.complete is
    'Promises the required fields; false: from a site file, or still being entered.';
comment on column registry.asset.manufacturer is
    'As written on its label; the master is its model''s manufacturer.';
comment on column registry.asset.model is 'As written on its label; the master is device_model_id.';
comment on column registry.asset.udi_di is 'Device identifier without brackets.';
comment on column registry.asset.udi_carrier is 'The whole carrier as scanned.';
comment on column registry.asset.udi_check_ok is
    'Verdict on the check character; false is a warning, null: not checked.';
comment on column registry.asset.replacement_cost is 'Of a new one today; in currency_code.';
comment on column registry.asset.specifications is 'Beside its model''s, over which they win.';
comment on column registry.asset.department_id is 'The department that answers for it.';
comment on column registry.asset.custodian_id is 'The person who answers for it.';

-- Search: name first, then maker and model. `simple` keeps model numbers and "GE" as they are,
-- `english` finds pumps by "pump".
alter table registry.asset
    add column search_text text generated always as (
        app.fold(name || ' ' || manufacturer || ' ' || model)
    ) stored,
    add column search_words tsvector generated always as (
        setweight(to_tsvector('simple'::regconfig, app.fold(name)), 'A')
        || setweight(to_tsvector('english'::regconfig, app.fold(name)), 'B')
        || setweight(to_tsvector('simple'::regconfig, app.fold(manufacturer || ' ' || model)), 'B')
        || setweight(to_tsvector('english'::regconfig, app.fold(coalesce(notes, ''))), 'D')
    ) stored;
-- Containment in its own specifications.
create index asset_specifications on registry.asset using gin (specifications jsonb_path_ops);
-- Who made it and which number it has: recalls and service calls name these.
create index asset_serial on registry.asset (organization_id, serial_number, manufacturer);
-- A scan names the device identifier.
create index asset_udi on registry.asset (organization_id, udi_di) where udi_di is not null;
-- The fleet of a model.
create index asset_model on registry.asset (organization_id, device_model_id);
-- What a department answers for, and pays.
create index asset_department on registry.asset (organization_id, department_id);
-- What a person answers for.
create index asset_custodian on registry.asset (organization_id, custodian_id)
    where custodian_id is not null;
-- What was bought from a vendor.
create index asset_vendor on registry.asset (organization_id, vendor_id)
    where vendor_id is not null;
-- Lists by state and importance: text, so that row security may use both columns.
create index asset_status on registry.asset (organization_id, status, criticality)
    where deleted_at is null;
-- Changed since: synchronisation with other systems.
create index asset_updated on registry.asset (organization_id, updated_at);
-- What belongs into this room?
create index asset_home on registry.asset (organization_id, home_room_id)
    where home_room_id is not null;
-- The few that were deleted, to be restored.
create index asset_deleted on registry.asset (organization_id, deleted_at)
    where deleted_at is not null;

create table registry.asset_identifier (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    asset_id uuid not null,
    scheme text not null check (scheme in (
        'UDI_DI', 'UDI_CARRIER', 'BARCODE', 'QR', 'FORMER_TAG', 'CONTROL_NUMBER', 'VENDOR_SERIAL'
    )),
    value text not null check (length(value) between 1 and 250),
    issuer app.udi_issuer,
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id)
);
comment on table registry.asset_identifier is 'Further names by which an asset can be found.';
call ops.finish_table('registry.asset_identifier', 'asset');
-- Looks an asset up by what was scanned.
create unique index asset_identifier_value
    on registry.asset_identifier (organization_id, value, scheme, asset_id)
    where deleted_at is null;
-- What an asset is called elsewhere.
create index asset_identifier_asset on registry.asset_identifier (organization_id, asset_id);

create table registry.asset_relation (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    asset_id uuid not null,
    other_id uuid not null,
    kind text not null check (kind in ('PARENT', 'CHILD', 'ACCESSORY', 'REPLACES')),
    mandatory boolean not null default false,
    since timestamptz not null default now(),
    until timestamptz,
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id),
    foreign key (organization_id, other_id) references registry.asset (organization_id, id),
    constraint asset_relation_is_to_another check (asset_id <> other_id),
    constraint asset_relation_ends_after_it_began check (until > since)
);
comment on table registry.asset_relation is
    'other_id is this of asset_id: its PARENT, its CHILD, its ACCESSORY, or what it REPLACES.';
call ops.finish_table('registry.asset_relation', 'asset');
-- An asset's family; kept once.
create unique index asset_relation_once
    on registry.asset_relation (organization_id, asset_id, kind, other_id)
    where deleted_at is null and until is null;
-- The same from the other end.
create index asset_relation_other on registry.asset_relation (organization_id, other_id);

create table registry.media (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    asset_id uuid,
    device_model_id uuid,
    kind text not null check (kind in (
        'PHOTO', 'INSTALLATION_PHOTO', 'DAMAGE_PHOTO', 'MANUAL', 'SERVICE_MANUAL',
        'TRAINING_VIDEO', 'QR_CODE', 'CERTIFICATE', 'OTHER'
    )),
    url app.content_url not null,
    title text,
    taken_at timestamptz,
    sha256 text check (sha256 ~ '^[0-9a-f]{64}$'),
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id),
    foreign key (organization_id, device_model_id)
        references registry.device_model (organization_id, id),
    constraint media_shows_one_thing check (num_nonnulls(asset_id, device_model_id) = 1)
);
comment on table registry.media is 'Pictures and papers of an asset, or of all assets of a model.';
call ops.finish_table('registry.media', 'asset');
-- The media of an asset.
create index media_asset on registry.media (organization_id, asset_id, kind)
    where asset_id is not null;
-- The media of a model.
create index media_model on registry.media (organization_id, device_model_id, kind)
    where device_model_id is not null;

create table registry.asset_metric (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    asset_id uuid not null,
    computed_at timestamptz not null,
    total_usage_hours numeric(12, 2) not null default 0,
    total_usage_cycles bigint,
    utilization_rate_percent numeric(5, 2) check (utilization_rate_percent between 0 and 100),
    utilization_method text,
    idle_time_hours_last_30_days numeric(8, 2),
    last_used_at timestamptz,
    average_session_minutes numeric(8, 2),
    peak_usage_day_of_week text,
    peak_usage_hour_of_day integer check (peak_usage_hour_of_day between 0 and 23),
    failure_count integer not null default 0,
    last_failure_on date,
    mtbf_hours numeric(12, 2),
    mttr_hours numeric(8, 2),
    downtime_hours numeric(12, 2),
    maintenance_cost numeric(12, 2),
    total_cost_of_ownership numeric(12, 2),
    roi_percent numeric(10, 2),
    current_book_value numeric(12, 2),
    accumulated_depreciation numeric(12, 2),
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id)
);
comment on table registry.asset_metric is
    'Figures of an asset as a job computed them at computed_at; the views are the truth.';
call ops.finish_table('registry.asset_metric', 'asset', audited => false);
-- One row an asset.
create unique index asset_metric_asset on registry.asset_metric (organization_id, asset_id);

create table registry.threshold (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references registry.organization (id),
    name text not null check (name ~ '^[a-z][a-z0-9_]{0,62}$'),
    facility_id uuid,
    device_type_id uuid,
    value numeric not null,
    unit text not null,
    foreign key (organization_id, facility_id) references registry.facility (organization_id, id),
    foreign key (organization_id, device_type_id)
        references registry.device_type (organization_id, id)
);
comment on table registry.threshold is
    'Limits of reports and rules by name; one of a facility or type wins over the organization''s.';
call ops.finish_table('registry.threshold', 'facility');
-- One value a name and place; also finds it.
create unique index threshold_name
    on registry.threshold (organization_id, name, facility_id, device_type_id) nulls not distinct
    where deleted_at is null;

create table registry.par_level (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    facility_id uuid not null,
    room_id uuid not null,
    device_type_id uuid not null,
    par_min integer not null check (par_min >= 0),
    par_max integer not null,
    foreign key (organization_id, facility_id) references registry.facility (organization_id, id),
    foreign key (organization_id, room_id) references registry.room (organization_id, id),
    foreign key (organization_id, device_type_id)
        references registry.device_type (organization_id, id),
    constraint par_level_max_is_not_below_min check (par_max >= par_min)
);
comment on table registry.par_level is
    'How many clean, free units of a type a store must and may hold.';
call ops.finish_table('registry.par_level', 'facility');
-- One level a store and type.
create unique index par_level_place
    on registry.par_level (organization_id, room_id, device_type_id) where deleted_at is null;

-- Row security by facility, and stamps and audit, for the tables that were there before.
do $$
declare
    known text;
begin
    foreach known in array array[
        'organization', 'facility', 'building', 'floor', 'room', 'zone', 'gateway', 'receiver',
        'asset', 'tag', 'tag_assignment', 'rule'
    ] loop
        execute format(
            'create trigger stamp before insert or update on registry.%I
             for each row execute function registry.stamp(%s)', known,
            case known when 'tag_assignment' then '''history''' else '' end);
        execute format(
            'create constraint trigger audit after insert or update or delete on registry.%I
             deferrable initially deferred
             for each row execute function audit.record(%L)', known, 'registry.' || known);
    end loop;
    foreach known in array array[
        'registry.building', 'registry.gateway', 'registry.rule',
        'registry.facility_revision', 'tracking.asset_location_current', 'tracking.room_visit',
        'tracking.zone_visit', 'tracking.usage_session', 'tracking.alert'
    ] loop
        execute format(
            'create policy facility on %s as restrictive
             to biotrakr_owner, biotrakr_analyst, biotrakr_app
             using ((select app.current_facilities()) is null
                 or facility_id = any ((select app.current_facilities())::uuid[]))', known);
    end loop;
    create policy facility on registry.facility as restrictive
        to biotrakr_owner, biotrakr_analyst, biotrakr_app
        using ((select app.current_facilities()) is null
            or id = any ((select app.current_facilities())::uuid[]));
    -- What it owns, and what stands in it: nurses work with other hospitals' pumps too.
    create policy facility on registry.asset as restrictive
        to biotrakr_owner, biotrakr_analyst, biotrakr_app
        using ((select app.current_facilities()) is null
            or facility_id = any ((select app.current_facilities())::uuid[])
            or id in (select place.asset_id from tracking.asset_location_current as place));
    create policy facility on registry.floor as restrictive
        to biotrakr_owner, biotrakr_analyst, biotrakr_app
        using ((select app.current_facilities()) is null
            or building_id in (select building.id from registry.building));
    create policy facility on registry.zone as restrictive
        to biotrakr_owner, biotrakr_analyst, biotrakr_app
        using ((select app.current_facilities()) is null
            or building_id in (select building.id from registry.building));
    create policy facility on registry.room as restrictive
        to biotrakr_owner, biotrakr_analyst, biotrakr_app
        using ((select app.current_facilities()) is null
            or floor_id in (select floor.id from registry.floor));
    create policy facility on registry.receiver as restrictive
        to biotrakr_owner, biotrakr_analyst, biotrakr_app
        using ((select app.current_facilities()) is null
            or gateway_id in (select gateway.id from registry.gateway));
    create policy facility on registry.tag_assignment as restrictive
        to biotrakr_owner, biotrakr_analyst, biotrakr_app
        using ((select app.current_facilities()) is null
            or asset_id in (select asset.id from registry.asset));
    create policy facility on tracking.alert_event as restrictive
        to biotrakr_owner, biotrakr_analyst, biotrakr_app
        using ((select app.current_facilities()) is null
            or alert_id in (select alert.id from tracking.alert));
end
$$;
