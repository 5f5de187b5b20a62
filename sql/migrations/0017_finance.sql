-- What it costs and is worth: books, units produced, costs, benefits, rentals, disposal, exchange.

create table finance.book (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references registry.organization (id),
    code text not null check (code ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,30}$'),
    name text not null,
    is_primary boolean not null default false,
    currency_code app.currency_code not null
);
comment on table finance.book is
    'A set of books (statutory, tax, group); asset_full shows the primary one.';
call ops.finish_table('finance.book', 'organization');
-- Finds a book by its code and keeps codes apart.
create unique index book_code on finance.book (organization_id, code) where deleted_at is null;
-- At most one is the primary one.
create unique index book_primary on finance.book (organization_id)
    where is_primary and deleted_at is null;

create table finance.depreciation (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    asset_id uuid not null,
    book_id uuid not null,
    method app.depreciation_method not null,
    cost numeric(14, 2) not null check (cost >= 0),
    salvage numeric(14, 2) not null default 0 check (salvage >= 0),
    life_years integer not null check (life_years between 1 and 50),
    in_service_on date,
    convention text not null default 'FULL_MONTH'
        check (convention in ('FULL_MONTH', 'HALF_YEAR', 'DAILY')),
    factor numeric(4, 2) not null default 2 check (factor > 0),
    switch_to_straight_line boolean not null default true,
    total_units numeric(14, 2) check (total_units > 0),
    unit_name text,
    disposed_on date,
    proceeds numeric(14, 2) check (proceeds >= 0),
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id),
    foreign key (organization_id, book_id) references finance.book (organization_id, id),
    constraint depreciation_leaves_the_salvage check (salvage <= cost),
    constraint depreciation_by_units_has_units
        check (method <> 'UNITS_OF_PRODUCTION' or total_units is not null),
    constraint depreciation_ends_after_it_began check (disposed_on >= in_service_on)
);
comment on table finance.depreciation is
    'How an asset is written off in a book, in the book''s currency; not in service: not at all.';
comment on column finance.depreciation.factor is 'Of a double declining balance; 1.5 for 150 %.';
call ops.finish_table('finance.depreciation', 'asset');
-- An asset is in a book once.
create unique index depreciation_once on finance.depreciation (organization_id, asset_id, book_id)
    where deleted_at is null;
-- A book's monthly run.
create index depreciation_book on finance.depreciation (organization_id, book_id);

create table finance.production (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    asset_id uuid not null,
    month date not null check (extract(day from month) = 1),
    units numeric(14, 2) not null check (units >= 0),
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id)
);
comment on table finance.production is 'Units an asset produced in a month; for UNITS_OF_PRODUCTION.';
call ops.finish_table('finance.production', 'asset');
-- One figure a month.
create unique index production_month on finance.production (organization_id, asset_id, month)
    where deleted_at is null;

create table finance.cost_event (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    asset_id uuid not null,
    kind text not null check (kind in (
        'ACQUISITION', 'INSTALLATION', 'CONTRACT', 'LABOR', 'PARTS', 'VENDOR', 'CALIBRATION',
        'CONSUMABLES', 'TRAINING', 'UPGRADE', 'ENERGY', 'DISPOSAL', 'DOWNTIME', 'RESALE', 'OTHER'
    )),
    amount numeric(14, 2) not null,
    currency_code app.currency_code not null,
    occurred_on date not null,
    work_order_id uuid,
    vendor_id uuid,
    invoice_number text,
    description text,
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id),
    foreign key (organization_id, work_order_id)
        references maintenance.work_order (organization_id, id),
    foreign key (organization_id, vendor_id) references registry.vendor (organization_id, id)
);
comment on table finance.cost_event is
    'Money spent on an asset that no other table holds: purchase price, labour and parts of work '
    'orders, and contracts stand there. Never summed across currencies. RESALE counts against cost.';
call ops.finish_table('finance.cost_event', 'asset');
-- The costs of an asset over time.
create index cost_event_asset on finance.cost_event (organization_id, asset_id, occurred_on);

create table finance.benefit (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    asset_id uuid not null,
    kind text not null check (kind in ('REVENUE', 'SAVING', 'AVOIDED_RENTAL', 'OTHER')),
    amount numeric(14, 2) not null check (amount >= 0),
    currency_code app.currency_code not null,
    period_start date not null,
    period_end date not null,
    description text,
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id),
    constraint benefit_period_ends_after_it_began check (period_end >= period_start)
);
comment on table finance.benefit is 'What an asset brought in; without a row there is no ROI.';
call ops.finish_table('finance.benefit', 'asset');
-- The benefits of an asset.
create index benefit_asset on finance.benefit (organization_id, asset_id);

create table finance.rental (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    facility_id uuid not null,
    device_type_id uuid not null,
    vendor_id uuid not null,
    asset_id uuid,
    department_id uuid,
    quantity integer not null default 1 check (quantity > 0),
    starts_on date not null,
    ends_on date,
    daily_rate numeric(10, 2) not null check (daily_rate >= 0),
    currency_code app.currency_code not null,
    foreign key (organization_id, facility_id) references registry.facility (organization_id, id),
    foreign key (organization_id, device_type_id)
        references registry.device_type (organization_id, id),
    foreign key (organization_id, vendor_id) references registry.vendor (organization_id, id),
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id),
    foreign key (organization_id, department_id)
        references registry.department (organization_id, id),
    constraint rental_ends_after_it_began check (ends_on >= starts_on)
);
comment on table finance.rental is 'Rented equipment; ends_on null: still here. Both days count.';
call ops.finish_table('finance.rental', 'facility');
-- Rentals of a type in a facility over time.
create index rental_facility
    on finance.rental (organization_id, facility_id, device_type_id, starts_on);

create table finance.disposal (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    asset_id uuid not null,
    disposed_on date not null,
    method text not null check (method in (
        'SOLD', 'SCRAPPED', 'DONATED', 'RETURNED', 'TRADED_IN', 'LOST', 'STOLEN'
    )),
    proceeds numeric(14, 2) not null default 0 check (proceeds >= 0),
    currency_code app.currency_code not null,
    holds_data boolean not null default false,
    data_wipe_certificate text,
    disposal_certificate text,
    approved_by uuid,
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id),
    foreign key (organization_id, approved_by)
        references registry.user_account (organization_id, id)
);
comment on table finance.disposal is 'How an asset left, and the evidence.';
call ops.finish_table('finance.disposal', 'asset');
-- An asset leaves once.
create unique index disposal_once on finance.disposal (organization_id, asset_id)
    where deleted_at is null;

create table finance.exchange_rate (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references registry.organization (id),
    from_currency app.currency_code not null,
    to_currency app.currency_code not null,
    valid_from date not null,
    rate numeric(18, 8) not null check (rate > 0),
    constraint exchange_rate_is_between_two check (from_currency <> to_currency)
);
comment on table finance.exchange_rate is
    'One from_currency is rate to_currency from a day on; nothing is converted without a row.';
call ops.finish_table('finance.exchange_rate', 'organization');
-- One rate a day; also the newest not after a day.
create unique index exchange_rate_day on finance.exchange_rate
    (organization_id, from_currency, to_currency, valid_from) where deleted_at is null;
