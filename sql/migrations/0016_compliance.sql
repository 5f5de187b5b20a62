-- Proving it: standards and limits, inspections, recalls, incidents, certificates, training.

create table compliance.standard (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references registry.organization (id),
    code text not null check (code <> ''),
    edition text not null,
    title text not null,
    effective_from date not null,
    effective_to date,
    constraint standard_ends_after_it_began check (effective_to >= effective_from)
);
comment on table compliance.standard is
    'Standards are data: reports print the code that was valid on the date.';
call ops.finish_table('compliance.standard', 'organization');
-- One row an edition.
create unique index standard_edition on compliance.standard (organization_id, code, edition)
    where deleted_at is null;

create table compliance.electrical_limit (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    standard_id uuid not null,
    test text not null check (test in (
        'EARTH_RESISTANCE', 'EQUIPMENT_LEAKAGE', 'APPLIED_PART_LEAKAGE', 'INSULATION_RESISTANCE'
    )),
    method text not null default 'ANY' check (method in ('ANY', 'DIRECT', 'DIFFERENTIAL', 'ALTERNATIVE')),
    protection_class text not null default 'ANY' check (protection_class in ('ANY', 'I', 'II')),
    part_type text not null default 'ANY' check (part_type in ('ANY', 'B', 'BF', 'CF')),
    cord text not null default 'ANY' check (cord in ('ANY', 'FIXED', 'DETACHABLE')),
    limit_value numeric(12, 3) not null,
    unit text not null check (unit in ('mOhm', 'uA', 'MOhm')),
    verified_on date,
    foreign key (organization_id, standard_id) references compliance.standard (organization_id, id)
);
comment on table compliance.electrical_limit is
    'Limits of electrical tests; the site checks them against its own copy of the standard '
    '(verified_on).';
call ops.finish_table('compliance.electrical_limit', 'organization');
-- One limit a case.
create unique index electrical_limit_case on compliance.electrical_limit
    (organization_id, standard_id, test, method, protection_class, part_type, cord)
    where deleted_at is null;

create table compliance.inspection (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    asset_id uuid not null,
    kind text not null check (kind in ('ELECTRICAL_SAFETY', 'VISUAL', 'PERFORMANCE', 'ACCEPTANCE')),
    standard_id uuid,
    schedule_id uuid,
    work_order_id uuid,
    performed_on date not null,
    result app.test_result not null,
    inspector_id uuid,
    next_due_on date,
    finding text,
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id),
    foreign key (organization_id, standard_id) references compliance.standard (organization_id, id),
    foreign key (organization_id, schedule_id)
        references maintenance.schedule (organization_id, id),
    foreign key (organization_id, work_order_id)
        references maintenance.work_order (organization_id, id),
    foreign key (organization_id, inspector_id)
        references registry.user_account (organization_id, id),
    constraint inspection_is_due_again_later check (next_due_on > performed_on)
);
comment on table compliance.inspection is 'An inspection of an asset; values are measurements.';
call ops.finish_table('compliance.inspection', 'asset');
-- The newest of an asset, and its series.
create index inspection_asset
    on compliance.inspection (organization_id, asset_id, kind, performed_on);

create table compliance.measurement (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    inspection_id uuid not null,
    test text not null check (test in (
        'EARTH_RESISTANCE', 'EQUIPMENT_LEAKAGE', 'APPLIED_PART_LEAKAGE', 'INSULATION_RESISTANCE',
        'OTHER'
    )),
    method text not null default 'ANY' check (method in ('ANY', 'DIRECT', 'DIFFERENTIAL', 'ALTERNATIVE')),
    part text,
    value numeric(12, 3) not null,
    unit text not null check (unit <> ''),
    limit_value numeric(12, 3),
    pass boolean not null,
    foreign key (organization_id, inspection_id)
        references compliance.inspection (organization_id, id)
);
comment on table compliance.measurement is
    'A measured value with the limit used then; an asset''s first is the reference of its trend.';
call ops.finish_table('compliance.measurement', 'inspection_id in compliance.inspection');
-- The values of an inspection.
create index measurement_inspection on compliance.measurement (organization_id, inspection_id);

create table compliance.recall (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references registry.organization (id),
    agency text not null check (agency <> ''),
    number text not null check (length(number) between 1 and 100),
    recall_class app.recall_class,
    severity_rank integer generated always as (
        case recall_class when 'CLASS_I' then 1 when 'CLASS_II' then 2 when 'CLASS_III' then 3 end
    ) stored,
    title text not null check (title <> ''),
    manufacturer text not null,
    reason text,
    action text,
    published_on date not null,
    received_at timestamptz not null default now(),
    due_on date,
    status text not null default 'OPEN' check (status in ('OPEN', 'IN_PROGRESS', 'CLOSED')),
    closed_at timestamptz,
    url app.content_url,
    constraint recall_is_closed_at_a_time check ((status = 'CLOSED') = (closed_at is not null))
);
comment on table compliance.recall is
    'A recall or field notice. severity_rank 1 is the most serious, which is class I; a device''s '
    'risk class runs the other way.';
call ops.finish_table('compliance.recall', 'organization');
-- Keeps notices apart.
create unique index recall_number on compliance.recall (organization_id, agency, number)
    where deleted_at is null;
-- What is open, the most serious first.
create index recall_open on compliance.recall (organization_id, severity_rank)
    where status <> 'CLOSED' and deleted_at is null;

create table compliance.recall_scope (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    recall_id uuid not null,
    model_number text,
    udi_di text,
    lot_from text,
    lot_to text,
    serial_from text,
    serial_to text,
    manufactured_from date,
    manufactured_to date,
    software_version text,
    foreign key (organization_id, recall_id) references compliance.recall (organization_id, id),
    constraint recall_scope_says_something
        check (num_nonnulls(model_number, udi_di, lot_from, serial_from, manufactured_from) > 0)
);
comment on table compliance.recall_scope is
    'What a recall names: all that a row says must hold, any row will do; ranges include both '
    'ends, and without an end mean one value.';
call ops.finish_table('compliance.recall_scope', 'organization');
-- The scope of a recall.
create index recall_scope_recall on compliance.recall_scope (organization_id, recall_id);

create table compliance.recall_asset (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    recall_id uuid not null,
    asset_id uuid not null,
    match_basis text not null check (match_basis in ('UDI', 'LOT', 'SERIAL', 'MODEL', 'DATE', 'MANUAL')),
    assessment text not null check (assessment in ('AFFECTED', 'NOT_AFFECTED', 'NEEDS_INSPECTION')),
    disposition text not null default 'OPEN' check (disposition in (
        'OPEN', 'IN_PROGRESS', 'CORRECTED', 'REMOVED', 'NOT_FOUND', 'NOT_AFFECTED'
    )),
    located_at timestamptz,
    disposed_at timestamptz,
    handled_by uuid,
    note text,
    foreign key (organization_id, recall_id) references compliance.recall (organization_id, id),
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id),
    foreign key (organization_id, handled_by)
        references registry.user_account (organization_id, id),
    constraint recall_asset_is_disposed_at_a_time check (
        (disposition in ('CORRECTED', 'REMOVED', 'NOT_FOUND', 'NOT_AFFECTED'))
        = (disposed_at is not null)
    )
);
comment on table compliance.recall_asset is
    'An asset under a recall. What could not be told for want of a lot needs inspection.';
call ops.finish_table('compliance.recall_asset', 'asset');
-- An asset is under a recall once; also a recall's assets.
create unique index recall_asset_once
    on compliance.recall_asset (organization_id, recall_id, asset_id) where deleted_at is null;
-- The recalls of an asset.
create index recall_asset_asset on compliance.recall_asset (organization_id, asset_id, disposition);

create table compliance.incident (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    facility_id uuid not null,
    number text not null check (length(number) between 1 and 50),
    occurred_at timestamptz not null,
    reported_at timestamptz not null,
    harm text not null check (harm in ('NONE', 'MINOR', 'SERIOUS', 'DEATH', 'UNKNOWN')),
    description text not null check (description <> ''),
    reportable boolean not null default false,
    report_due_on date,
    report_sent_on date,
    report_number text,
    status text not null default 'OPEN' check (status in ('OPEN', 'INVESTIGATING', 'CLOSED')),
    root_cause text,
    foreign key (organization_id, facility_id) references registry.facility (organization_id, id),
    constraint incident_is_reported_after_it_happened check (reported_at >= occurred_at),
    constraint incident_reportable_has_a_due_date check (not reportable or report_due_on is not null)
);
comment on table compliance.incident is 'Something happened with equipment; no patient data here.';
comment on column compliance.incident.description is
    'About the device. May touch confidential matters: as user_account.email.';
call ops.finish_table('compliance.incident', 'facility');
-- Finds an incident by its number and keeps numbers apart.
create unique index incident_number on compliance.incident (organization_id, number)
    where deleted_at is null;
-- Incidents over a range of time.
create index incident_occurred on compliance.incident (organization_id, occurred_at);

create table compliance.incident_device (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    incident_id uuid not null,
    asset_id uuid not null,
    quarantined_at timestamptz,
    released_at timestamptz,
    finding text,
    foreign key (organization_id, incident_id) references compliance.incident (organization_id, id),
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id),
    constraint incident_device_is_released_after_quarantine check (released_at >= quarantined_at)
);
comment on table compliance.incident_device is 'A device in an incident, and its quarantine.';
call ops.finish_table('compliance.incident_device', 'asset');
-- A device is in an incident once; also an incident's devices.
create unique index incident_device_once
    on compliance.incident_device (organization_id, incident_id, asset_id)
    where deleted_at is null;
-- The incidents of an asset.
create index incident_device_asset on compliance.incident_device (organization_id, asset_id);

create table compliance.certificate (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references registry.organization (id),
    kind text not null check (kind in (
        'CE', 'ISO', 'FDA', 'LICENCE', 'CALIBRATION', 'RADIATION', 'ACCREDITATION', 'DATA_WIPE',
        'DISPOSAL', 'OTHER'
    )),
    number text not null check (length(number) between 1 and 100),
    issuer text not null,
    asset_id uuid,
    device_model_id uuid,
    vendor_id uuid,
    user_id uuid,
    facility_id uuid,
    issued_on date not null,
    expires_on date,
    document_url app.content_url,
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id),
    foreign key (organization_id, device_model_id)
        references registry.device_model (organization_id, id),
    foreign key (organization_id, vendor_id) references registry.vendor (organization_id, id),
    foreign key (organization_id, user_id) references registry.user_account (organization_id, id),
    foreign key (organization_id, facility_id) references registry.facility (organization_id, id),
    constraint certificate_is_of_one_thing
        check (num_nonnulls(asset_id, device_model_id, vendor_id, user_id, facility_id) = 1),
    constraint certificate_expires_after_it_was_issued check (expires_on > issued_on)
);
comment on table compliance.certificate is
    'A certificate or licence of an asset, a model, a vendor, a person or a facility.';
call ops.finish_table('compliance.certificate', 'asset');
-- What expires soon.
create index certificate_expiry on compliance.certificate (organization_id, expires_on)
    where expires_on is not null and deleted_at is null;
-- The certificates of an asset.
create index certificate_asset on compliance.certificate (organization_id, asset_id)
    where asset_id is not null;
-- The certificates of a model.
create index certificate_model on compliance.certificate (organization_id, device_model_id)
    where device_model_id is not null;

create table compliance.training_requirement (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    device_type_id uuid not null,
    device_model_id uuid,
    job text,
    valid_days integer check (valid_days > 0),
    foreign key (organization_id, device_type_id)
        references registry.device_type (organization_id, id),
    foreign key (organization_id, device_model_id)
        references registry.device_model (organization_id, id)
);
comment on table compliance.training_requirement is
    'Who runs this type (or only this model) must have been trained; job null: everybody.';
call ops.finish_table('compliance.training_requirement', 'organization');
-- One requirement a type, model and job.
create unique index training_requirement_once on compliance.training_requirement
    (organization_id, device_type_id, device_model_id, job) nulls not distinct
    where deleted_at is null;

create table compliance.training (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    user_id uuid not null,
    device_type_id uuid not null,
    device_model_id uuid,
    trained_on date not null,
    valid_until date,
    result app.test_result not null default 'PASS',
    trainer text,
    foreign key (organization_id, user_id) references registry.user_account (organization_id, id),
    foreign key (organization_id, device_type_id)
        references registry.device_type (organization_id, id),
    foreign key (organization_id, device_model_id)
        references registry.device_model (organization_id, id),
    constraint training_is_valid_after_it_was_given check (valid_until >= trained_on)
);
comment on table compliance.training is 'Somebody was trained on a type, or on one model of it.';
call ops.finish_table('compliance.training', 'organization');
-- What a person was trained on.
create index training_user
    on compliance.training (organization_id, user_id, device_type_id, trained_on);
-- Who may run this type?
create index training_type on compliance.training (organization_id, device_type_id, valid_until);
