-- Keeping it going: procedures, schedules and what came due, work orders, parts, calibration,
-- decontamination.

create table maintenance.procedure (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references registry.organization (id),
    code text not null check (code ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$'),
    name text not null check (name <> ''),
    kind text not null check (kind in ('PM', 'CALIBRATION', 'INSPECTION')),
    device_type_id uuid,
    device_model_id uuid,
    interval_days integer not null check (interval_days between 1 and 3660),
    grace_days integer check (grace_days between 0 and 366),
    estimated_hours numeric(4, 1) check (estimated_hours > 0),
    document_url text check (length(document_url) <= 255),
    tasks jsonb not null default '[]' check (jsonb_typeof(tasks) = 'array'),
    foreign key (organization_id, device_type_id)
        references registry.device_type (organization_id, id),
    foreign key (organization_id, device_model_id)
        references registry.device_model (organization_id, id)
);
comment on table maintenance.procedure is 'What is to be done, how often, how long it takes.';
comment on column maintenance.procedure.grace_days is
    'Days after it is due that still count as on time; null: to the end of the month it is due in.';
call ops.finish_table('maintenance.procedure', 'organization');
-- Finds a procedure by its code and keeps codes apart.
create unique index procedure_code on maintenance.procedure (organization_id, code)
    where deleted_at is null;

create table maintenance.schedule (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    asset_id uuid not null,
    procedure_id uuid not null,
    kind text not null default 'PM' check (kind in ('PM', 'CALIBRATION', 'INSPECTION')),
    strategy app.maintenance_strategy not null default 'OEM',
    interval_days integer not null check (interval_days between 1 and 3660),
    starts_on date not null,
    ends_on date,
    technician_id uuid,
    aem_assessor_id uuid,
    aem_assessed_on date,
    aem_rationale text,
    aem_review_due_on date,
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id),
    foreign key (organization_id, procedure_id)
        references maintenance.procedure (organization_id, id),
    foreign key (organization_id, technician_id)
        references registry.user_account (organization_id, id),
    foreign key (organization_id, aem_assessor_id)
        references registry.user_account (organization_id, id),
    constraint schedule_ends_after_it_began check (ends_on >= starts_on),
    constraint schedule_of_ones_own_is_reasoned check (
        strategy <> 'AEM' or (
            aem_assessor_id is not null and aem_assessed_on is not null
            and aem_rationale <> '' and aem_rationale is not null
            and aem_review_due_on is not null and aem_review_due_on > aem_assessed_on
        )
    )
);
comment on table maintenance.schedule is
    'An asset is due for a procedure every so often; it may have several of each kind.';
comment on column maintenance.schedule.strategy is
    'AEM: an alternative program, refused for imaging equipment and lasers.';
comment on column maintenance.schedule.starts_on is 'When it is due for the first time.';
call ops.finish_table('maintenance.schedule', 'asset');
create trigger refuse_aem before insert or update of strategy, asset_id on maintenance.schedule
    for each row when (new.strategy = 'AEM') execute function maintenance.refuse_aem();
-- A change of what the asset is must not get around it.
create trigger refuse_aem before update of category, device_model_id on registry.asset
    for each row execute function maintenance.refuse_aem();
create trigger refuse_aem before update of category, is_laser on registry.device_type
    for each row execute function maintenance.refuse_aem();
-- A procedure is scheduled once an asset; also an asset's schedules.
create unique index schedule_once
    on maintenance.schedule (organization_id, asset_id, kind, procedure_id)
    where deleted_at is null and ends_on is null;
-- The alternative program's register.
create index schedule_aem on maintenance.schedule (organization_id, aem_review_due_on)
    where strategy = 'AEM';
-- The assets of a procedure.
create index schedule_procedure on maintenance.schedule (organization_id, procedure_id);

create table maintenance.spare_part (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references registry.organization (id),
    part_number text not null check (length(part_number) between 1 and 100),
    name text not null check (name <> ''),
    manufacturer_id uuid,
    vendor_id uuid,
    unit_cost numeric(12, 2) check (unit_cost >= 0),
    currency_code app.currency_code,
    lead_time_days integer check (lead_time_days >= 0),
    foreign key (organization_id, manufacturer_id)
        references registry.manufacturer (organization_id, id),
    foreign key (organization_id, vendor_id) references registry.vendor (organization_id, id),
    constraint spare_part_cost_has_a_currency
        check ((unit_cost is null) = (currency_code is null))
);
comment on table maintenance.spare_part is 'A part as it is ordered.';
call ops.finish_table('maintenance.spare_part', 'organization');
-- Finds a part by its number and keeps numbers apart.
create unique index spare_part_number on maintenance.spare_part (organization_id, part_number)
    where deleted_at is null;

create table maintenance.part_stock (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    spare_part_id uuid not null,
    facility_id uuid not null,
    quantity integer not null check (quantity >= 0),
    reorder_point integer not null default 0 check (reorder_point >= 0),
    reorder_quantity integer check (reorder_quantity > 0),
    counted_at timestamptz,
    foreign key (organization_id, spare_part_id)
        references maintenance.spare_part (organization_id, id),
    foreign key (organization_id, facility_id) references registry.facility (organization_id, id)
);
comment on table maintenance.part_stock is 'How many of a part lie in a facility.';
call ops.finish_table('maintenance.part_stock', 'facility');
-- One stock a part and facility.
create unique index part_stock_place
    on maintenance.part_stock (organization_id, spare_part_id, facility_id)
    where deleted_at is null;

create table maintenance.work_order (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    number text not null check (length(number) between 1 and 50),
    asset_id uuid not null,
    type app.work_order_type not null,
    status app.work_order_status not null default 'PENDING',
    priority app.criticality not null default 'MEDIUM',
    title text not null check (title <> ''),
    description text,
    schedule_id uuid,
    requested_by uuid,
    department_id uuid,
    technician_id uuid,
    vendor_id uuid,
    contract_id uuid,
    reported_at timestamptz not null,
    failed_at timestamptz,
    assigned_at timestamptz,
    responded_at timestamptz,
    work_started_at timestamptz,
    restored_at timestamptz,
    completed_at timestamptz,
    scheduled_for date,
    response_due_at timestamptz,
    resolution_due_at timestamptz,
    outcome text check (outcome in (
        'REPAIRED', 'NO_FAULT_FOUND', 'USER_ERROR', 'REPLACED', 'CONDEMNED', 'DONE', 'NOT_LOCATED',
        'IN_USE', 'REFUSED'
    )),
    failure_confirmed boolean,
    failure_category app.failure_category,
    failure_description text,
    error_code text,
    under_warranty boolean not null default false,
    estimated_hours numeric(6, 1) check (estimated_hours >= 0),
    estimated_cost numeric(12, 2) check (estimated_cost >= 0),
    labor_hours numeric(8, 2) not null default 0 check (labor_hours >= 0),
    labor_cost numeric(12, 2) not null default 0 check (labor_cost >= 0),
    vendor_cost numeric(12, 2) not null default 0 check (vendor_cost >= 0),
    currency_code app.currency_code,
    downtime_hours numeric(10, 2) check (downtime_hours >= 0),
    resolution text,
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id),
    foreign key (organization_id, schedule_id)
        references maintenance.schedule (organization_id, id),
    foreign key (organization_id, requested_by)
        references registry.user_account (organization_id, id),
    foreign key (organization_id, department_id)
        references registry.department (organization_id, id),
    foreign key (organization_id, technician_id)
        references registry.user_account (organization_id, id),
    foreign key (organization_id, vendor_id) references registry.vendor (organization_id, id),
    foreign key (organization_id, contract_id) references registry.contract (organization_id, id),
    constraint work_order_is_completed_at_a_time
        check ((status = 'COMPLETED') = (completed_at is not null)),
    constraint work_order_is_restored_after_it_failed check (restored_at >= failed_at),
    constraint work_order_is_restored_after_work_began check (restored_at >= work_started_at),
    constraint work_order_cost_has_a_currency
        check (currency_code is not null or (labor_cost = 0 and vendor_cost = 0))
);
comment on table maintenance.work_order is
    'Work on an asset. A failure is a corrective one with failure_confirmed.';
comment on column maintenance.work_order.failed_at is
    'When it stopped; restored_at - failed_at is the time to restore.';
comment on column maintenance.work_order.outcome is
    'NO_FAULT_FOUND: could not be duplicated; with USER_ERROR it is no failure.';
comment on column maintenance.work_order.department_id is 'Who reported it, and pays.';
comment on column maintenance.work_order.downtime_hours is
    'As entered; null: restored_at - failed_at.';
comment on column maintenance.work_order.labor_hours is
    'All of it; maintenance.labor has the hours one by one where they are kept.';
call ops.finish_table('maintenance.work_order', 'asset');
-- Finds a work order by its number and keeps numbers apart.
create unique index work_order_number on maintenance.work_order (organization_id, number)
    where deleted_at is null;
-- The service history of an asset.
create index work_order_asset on maintenance.work_order (organization_id, asset_id, reported_at);
-- What is open: a small index beside years of completed ones.
create index work_order_open on maintenance.work_order (organization_id, priority, reported_at)
    where status not in ('COMPLETED', 'CANCELLED') and deleted_at is null;
-- Reports over a range of time.
create index work_order_completed on maintenance.work_order (organization_id, completed_at)
    where completed_at is not null;
-- A technician's work.
create index work_order_technician on maintenance.work_order (organization_id, technician_id, status);
-- A vendor's score.
create index work_order_vendor on maintenance.work_order (organization_id, vendor_id, reported_at)
    where vendor_id is not null;
-- Failures: MTBF and repeated repairs.
create index work_order_failure on maintenance.work_order (organization_id, asset_id, failed_at)
    where failure_confirmed;

create table maintenance.occurrence (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    asset_id uuid not null,
    schedule_id uuid not null,
    due_on date not null,
    grace_until date not null,
    outcome text not null default 'OPEN' check (outcome in (
        'OPEN', 'COMPLETED', 'NOT_LOCATED', 'IN_USE', 'VENDOR', 'PARTS', 'MISSED', 'CANCELLED'
    )),
    completed_on date,
    work_order_id uuid,
    note text,
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id),
    foreign key (organization_id, schedule_id)
        references maintenance.schedule (organization_id, id),
    foreign key (organization_id, work_order_id)
        references maintenance.work_order (organization_id, id),
    constraint occurrence_grace_is_after_due check (grace_until >= due_on),
    constraint occurrence_is_completed_on_a_day
        check ((outcome = 'COMPLETED') = (completed_on is not null))
);
comment on table maintenance.occurrence is
    'One time that a schedule came due, and what became of it. "Not located" and "in use" are '
    'no completions.';
call ops.finish_table('maintenance.occurrence', 'asset');
create trigger settle_occurrence after update of status on maintenance.work_order
    for each row when (new.status = 'COMPLETED' and old.status <> 'COMPLETED')
    execute function maintenance.settle_occurrence();
-- A schedule is due once a day; also a schedule's past.
create unique index occurrence_once on maintenance.occurrence (organization_id, schedule_id, due_on)
    where deleted_at is null;
-- What is due in a range of days, by any state.
create index occurrence_due on maintenance.occurrence (organization_id, due_on);
-- What is still to be done.
create index occurrence_open on maintenance.occurrence (organization_id, due_on)
    where outcome = 'OPEN' and deleted_at is null;
-- An asset's.
create index occurrence_asset on maintenance.occurrence (organization_id, asset_id, due_on);

create table maintenance.labor (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    work_order_id uuid not null,
    technician_id uuid,
    worked_on date not null,
    hours numeric(6, 2) not null check (hours > 0 and hours <= 24),
    hourly_rate numeric(10, 2) check (hourly_rate >= 0),
    currency_code app.currency_code,
    foreign key (organization_id, work_order_id)
        references maintenance.work_order (organization_id, id),
    foreign key (organization_id, technician_id)
        references registry.user_account (organization_id, id)
);
comment on table maintenance.labor is 'Hours that somebody worked on a work order.';
call ops.finish_table('maintenance.labor', 'work_order_id in maintenance.work_order');
-- The hours of a work order.
create index labor_work_order on maintenance.labor (organization_id, work_order_id);
-- A technician's weeks.
create index labor_technician on maintenance.labor (organization_id, technician_id, worked_on);

create table maintenance.work_order_part (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    work_order_id uuid not null,
    spare_part_id uuid not null,
    quantity integer not null check (quantity > 0),
    unit_cost numeric(12, 2) not null check (unit_cost >= 0),
    currency_code app.currency_code not null,
    used_on date not null,
    facility_id uuid,
    foreign key (organization_id, work_order_id)
        references maintenance.work_order (organization_id, id),
    foreign key (organization_id, spare_part_id)
        references maintenance.spare_part (organization_id, id),
    foreign key (organization_id, facility_id) references registry.facility (organization_id, id)
);
comment on table maintenance.work_order_part is
    'Parts that went into a work order, at their cost then; facility_id: whose stock.';
call ops.finish_table('maintenance.work_order_part', 'work_order_id in maintenance.work_order');
-- The parts of a work order.
create index work_order_part_order on maintenance.work_order_part (organization_id, work_order_id);
-- How fast a part is used.
create index work_order_part_use
    on maintenance.work_order_part (organization_id, spare_part_id, used_on);

create table maintenance.calibration (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    asset_id uuid not null,
    schedule_id uuid,
    work_order_id uuid,
    performed_on date not null,
    result app.test_result not null,
    reference_standard text not null check (reference_standard <> ''),
    reference_due_on date,
    as_found jsonb not null default '{}' check (jsonb_typeof(as_found) = 'object'),
    as_left jsonb not null default '{}' check (jsonb_typeof(as_left) = 'object'),
    certificate_number text,
    technician_id uuid,
    vendor_id uuid,
    next_due_on date,
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id),
    foreign key (organization_id, schedule_id)
        references maintenance.schedule (organization_id, id),
    foreign key (organization_id, work_order_id)
        references maintenance.work_order (organization_id, id),
    foreign key (organization_id, technician_id)
        references registry.user_account (organization_id, id),
    foreign key (organization_id, vendor_id) references registry.vendor (organization_id, id),
    constraint calibration_is_due_again_later check (next_due_on > performed_on)
);
comment on table maintenance.calibration is 'A calibration, with the traceable standard it used.';
comment on column maintenance.calibration.reference_due_on is
    'Until when the standard itself was calibrated.';
call ops.finish_table('maintenance.calibration', 'asset');
-- The newest of an asset, and its series.
create index calibration_asset on maintenance.calibration (organization_id, asset_id, performed_on);

create table maintenance.decontamination (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    asset_id uuid not null,
    performed_at timestamptz not null,
    method text not null check (method in (
        'CLEANING', 'DISINFECTION', 'HIGH_LEVEL_DISINFECTION', 'STERILIZATION'
    )),
    result app.test_result not null default 'PASS',
    performed_by uuid,
    room_id uuid,
    note text,
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id),
    foreign key (organization_id, performed_by)
        references registry.user_account (organization_id, id),
    foreign key (organization_id, room_id) references registry.room (organization_id, id)
);
comment on table maintenance.decontamination is 'An asset was made clean.';
call ops.finish_table('maintenance.decontamination', 'asset');
-- The newest of an asset.
create index decontamination_asset
    on maintenance.decontamination (organization_id, asset_id, performed_at);
