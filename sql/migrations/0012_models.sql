-- What an asset has because of what it is: manufacturer, type, model.

create table registry.manufacturer (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references registry.organization (id),
    name text not null check (length(name) between 1 and 100),
    country text check (country ~ '^[A-Z]{2}$'),
    fda_registration_number text check (length(fda_registration_number) between 1 and 50),
    iso_certification text,
    website app.content_url,
    vendor_id uuid,
    foreign key (organization_id, vendor_id) references registry.vendor (organization_id, id)
);
comment on table registry.manufacturer is 'Who makes it; vendor_id where one also buys from it.';
call ops.finish_table('registry.manufacturer', 'organization');
-- One row a maker, however its name is written.
create unique index manufacturer_name on registry.manufacturer (organization_id, app.fold(name))
    where deleted_at is null;

create table registry.device_type (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references registry.organization (id),
    code text not null check (code ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    name text not null check (length(name) between 1 and 100),
    category app.device_category not null,
    is_laser boolean not null default false,
    is_life_support boolean not null default false,
    gmdn_code text check (gmdn_code ~ '^[0-9]{5}$'),
    emdn_code text check (emdn_code ~ '^[A-Z]([0-9]{2}){1,6}$'),
    umdns_code text check (umdns_code ~ '^[0-9]{5}$'),
    fda_product_code text check (fda_product_code ~ '^[A-Z]{3}$'),
    default_useful_life_years integer check (default_useful_life_years between 1 and 50),
    cost_fn_to_fp numeric(8, 2) check (cost_fn_to_fp > 0)
);
comment on table registry.device_type is
    'A kind of equipment, such as an infusion pump; the asset''s subcategory is its name.';
comment on column registry.device_type.cost_fn_to_fp is
    'What a missed failure costs in false alarms; sets the threshold of predictions.';
comment on column registry.device_type.default_useful_life_years is
    'A default of the site''s own; published tables are copyrighted.';
call ops.finish_table('registry.device_type', 'organization');
-- Finds a type by its code and keeps codes apart.
create unique index device_type_code on registry.device_type (organization_id, code)
    where deleted_at is null;

create table registry.device_model (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    manufacturer_id uuid not null,
    device_type_id uuid not null,
    model_number text not null check (length(model_number) between 1 and 100),
    name text,
    risk_class app.risk_class not null,
    udi_issuer app.udi_issuer,
    udi_di text check (length(udi_di) between 1 and 100),
    fda_510k_number text check (fda_510k_number ~ '^B?K[0-9]{6}$'),
    fda_pma_number text check (fda_pma_number ~ '^P[0-9]{6}(/S[0-9]{3})?$'),
    fda_de_novo_number text check (fda_de_novo_number ~ '^DEN[0-9]{6}$'),
    ce_mark_certificate text check (length(ce_mark_certificate) <= 100),
    specifications jsonb not null default '{}' check (jsonb_typeof(specifications) = 'object'),
    power_requirements text check (length(power_requirements) <= 100),
    weight_kg numeric(8, 2) check (weight_kg > 0),
    dimensions_cm text check (length(dimensions_cm) <= 50),
    environmental_requirements text,
    requires_calibration boolean not null default false,
    requires_operator_certification boolean not null default false,
    waste_handling app.waste_handling,
    decontamination_protocol text,
    decontamination_interval_h numeric(8, 1) check (decontamination_interval_h > 0),
    manual_url app.content_url,
    service_manual_url app.content_url,
    photo_url app.content_url,
    end_of_support_on date,
    list_price numeric(12, 2) check (list_price >= 0),
    list_price_currency app.currency_code,
    service_training_h numeric(6, 1),
    foreign key (organization_id, manufacturer_id)
        references registry.manufacturer (organization_id, id),
    foreign key (organization_id, device_type_id)
        references registry.device_type (organization_id, id),
    constraint device_model_price_has_a_currency
        check ((list_price is null) = (list_price_currency is null))
);
comment on table registry.device_model is 'A model; what is true of every asset of it stands here.';
comment on column registry.device_model.udi_di is
    'Device identifier without brackets; an asset''s own wins (another package level).';
comment on column registry.device_model.fda_510k_number is
    'K and six digits, BK from CBER; it proves that a notice was received, not a clearance.';
comment on column registry.device_model.decontamination_interval_h is
    'Hours after which an unused one counts as unclean; null: only use makes it so.';
call ops.finish_table('registry.device_model', 'organization');
-- One row a model, however it is written; also a maker's models.
create unique index device_model_number
    on registry.device_model (organization_id, manufacturer_id, app.fold(model_number))
    where deleted_at is null;
-- The models of a type.
create index device_model_type on registry.device_model (organization_id, device_type_id);
-- A recall or a scan names the device identifier.
create index device_model_udi on registry.device_model (organization_id, udi_di)
    where udi_di is not null;
