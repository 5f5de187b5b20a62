-- Who: departments, users and what they may see, vendors and contracts.

create table registry.department (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references registry.organization (id),
    facility_id uuid,
    parent_id uuid,
    manager_id uuid,
    code text not null check (code ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$'),
    name text not null check (name <> ''),
    cost_center text,
    foreign key (organization_id, facility_id) references registry.facility (organization_id, id),
    constraint department_is_not_its_own_parent check (parent_id <> id)
);
comment on table registry.department is 'A department; a tree. Without a facility: of all of them.';
call ops.finish_table('registry.department', 'facility');
alter table registry.department
    add foreign key (organization_id, parent_id) references registry.department (organization_id, id);
-- Finds a department by its code and keeps codes apart.
create unique index department_code on registry.department (organization_id, code)
    where deleted_at is null;
-- The children of a department, for the tree.
create index department_parent on registry.department (organization_id, parent_id);

create table registry.user_account (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references registry.organization (id),
    username text not null check (username ~ '^[^[:space:]]{1,100}$'),
    display_name text not null check (display_name <> ''),
    email text check (
        email ~ '^[^[:space:]@]+@[^[:space:]@]+$' or email like '-----BEGIN PGP MESSAGE-----%'
    ),
    phone text,
    department_id uuid,
    job text not null default 'OTHER' check (job in (
        'TECHNICIAN', 'ENGINEER', 'NURSE', 'PHYSICIAN', 'MANAGER', 'FINANCE', 'COMPLIANCE', 'IT',
        'SERVICE', 'OTHER'
    )),
    weekly_capacity_h numeric(5, 2) check (weekly_capacity_h between 0 and 168),
    hourly_rate numeric(10, 2) check (hourly_rate >= 0),
    hourly_rate_currency app.currency_code,
    active boolean not null default true,
    foreign key (organization_id, department_id)
        references registry.department (organization_id, id),
    constraint user_rate_has_a_currency
        check ((hourly_rate is null) = (hourly_rate_currency is null))
);
comment on table registry.user_account is
    'A person, or a service that acts like one. Passwords are the identity provider''s.';
comment on column registry.user_account.email is
    'Personal. Ready for encryption: takes armor(pgp_sym_encrypt(value, key)) as well, for nothing '
    'searches or joins by it, and the audit trail then holds the same.';
comment on column registry.user_account.phone is 'Personal, as email.';
comment on column registry.user_account.weekly_capacity_h is 'A technician''s hours for planned work.';
call ops.finish_table('registry.user_account', 'organization');
-- Logging in, and names kept apart within the organization only.
create unique index user_account_username on registry.user_account (organization_id, username)
    where deleted_at is null;
-- The people of a department.
create index user_account_department on registry.user_account (organization_id, department_id);
alter table registry.department
    add foreign key (organization_id, manager_id)
    references registry.user_account (organization_id, id);

create table registry.user_role (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    user_id uuid not null,
    role text not null check (role in (
        'ADMINISTRATOR', 'BIOMEDICAL', 'NURSE_MANAGER', 'FINANCE', 'COMPLIANCE', 'OPERATIONS',
        'VIEWER'
    )),
    facility_id uuid,
    foreign key (organization_id, user_id) references registry.user_account (organization_id, id),
    foreign key (organization_id, facility_id) references registry.facility (organization_id, id)
);
comment on table registry.user_role is
    'What a user does where; without a facility: in the whole organization.';
call ops.finish_table('registry.user_role', 'organization');
-- A role is given once; also finds a user's roles, at every query of a confined user.
create unique index user_role_once
    on registry.user_role (organization_id, user_id, role, facility_id) nulls not distinct
    where deleted_at is null;

-- Not a tenant's: which facilities a login may see that is an analyst only; none listed: all of
-- its organization. A setting would be the login's own to change.
create table app.login_facility (
    login name not null,
    organization_id uuid not null,
    facility_id uuid not null,
    primary key (login, organization_id, facility_id),
    foreign key (login, organization_id)
        references app.login_organization (login, organization_id),
    foreign key (organization_id, facility_id) references registry.facility (organization_id, id)
);
comment on table app.login_facility is
    'To which facilities a login is confined that is a member of biotrakr_analyst only.';
grant select on app.login_facility to biotrakr_backup;

create table registry.vendor (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references registry.organization (id),
    code text not null check (code ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$'),
    name text not null check (name <> ''),
    type app.vendor_type not null,
    email text,
    phone text,
    website app.content_url,
    tax_number text,
    bank_account text
);
comment on table registry.vendor is 'Who sells, supplies parts or serves.';
comment on column registry.vendor.tax_number is 'Confidential: as user_account.email.';
comment on column registry.vendor.bank_account is 'Confidential: as user_account.email.';
call ops.finish_table('registry.vendor', 'organization');
-- Finds a vendor by its code and keeps codes apart.
create unique index vendor_code on registry.vendor (organization_id, code)
    where deleted_at is null;

create table registry.contract (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    vendor_id uuid not null,
    number text not null check (length(number) between 1 and 50),
    kind text not null check (kind in ('WARRANTY', 'AMC', 'CMC', 'LEASE', 'SOFTWARE')),
    starts_on date not null,
    ends_on date not null,
    annual_cost numeric(12, 2) not null default 0 check (annual_cost >= 0),
    currency_code app.currency_code not null,
    service_level app.service_level,
    response_h numeric(6, 1) check (response_h >= 0),
    resolution_h numeric(6, 1) check (resolution_h >= 0),
    covers_parts boolean not null default false,
    covers_labor boolean not null default true,
    uptime_percent numeric(5, 2) check (uptime_percent between 0 and 100),
    terms text,
    foreign key (organization_id, vendor_id) references registry.vendor (organization_id, id),
    constraint contract_ends_after_it_began check (ends_on >= starts_on)
);
comment on table registry.contract is
    'A warranty or service contract: AMC is labour, CMC labour and parts; its assets are in '
    'registry.contract_asset.';
comment on column registry.contract.response_h is 'Promised hours until somebody is there.';
comment on column registry.contract.resolution_h is 'Promised hours until it works again.';
call ops.finish_table('registry.contract', 'organization');
-- Finds a contract by its number; two vendors may use the same.
create unique index contract_number on registry.contract (organization_id, vendor_id, number)
    where deleted_at is null;
-- What ends soon.
create index contract_end on registry.contract (organization_id, ends_on) where deleted_at is null;

create table registry.contract_asset (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    contract_id uuid not null,
    asset_id uuid not null,
    starts_on date,
    ends_on date,
    annual_cost numeric(12, 2) check (annual_cost >= 0),
    foreign key (organization_id, contract_id) references registry.contract (organization_id, id),
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id),
    constraint contract_asset_ends_after_it_began check (ends_on >= starts_on)
);
comment on table registry.contract_asset is
    'An asset under a contract; its own dates and share of the cost where they differ (in the '
    'contract''s currency).';
comment on column registry.contract_asset.annual_cost is
    'Null: an equal share of the contract''s cost.';
call ops.finish_table('registry.contract_asset', 'asset');
-- An asset is in a contract once; also a contract's assets.
create unique index contract_asset_once
    on registry.contract_asset (organization_id, contract_id, asset_id) where deleted_at is null;
-- What covers this asset?
create index contract_asset_asset on registry.contract_asset (organization_id, asset_id);
