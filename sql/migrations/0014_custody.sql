-- Who has it: custody, check-outs, transfers between facilities, rentals.

create table registry.assignment (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    asset_id uuid not null,
    kind text not null check (kind in ('CUSTODY', 'CHECKOUT', 'OPERATION')),
    user_id uuid,
    department_id uuid,
    during tstzrange not null check (not isempty(during) and lower(during) is not null),
    expected_return_at timestamptz,
    condition_out text,
    condition_in text,
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id),
    foreign key (organization_id, user_id) references registry.user_account (organization_id, id),
    foreign key (organization_id, department_id)
        references registry.department (organization_id, id),
    constraint assignment_is_to_somebody check (num_nonnulls(user_id, department_id) >= 1),
    constraint assignment_operator_is_a_person check (kind <> 'OPERATION' or user_id is not null)
);
comment on table registry.assignment is
    'Who answers for an asset (CUSTODY), has taken it (CHECKOUT) or runs it (OPERATION), when.';
comment on column registry.assignment.during is '[from, to); no upper bound: still so.';
call ops.finish_table('registry.assignment', 'asset');
-- In one custody, checked out once, run by one operator at a time. Also finds who had it when.
alter table registry.assignment
    add constraint assignment_is_the_only_one exclude using gist
    (organization_id with =, asset_id with =, kind with =, during with &&)
    where (deleted_at is null);
-- An asset's assignments in order.
create index assignment_asset on registry.assignment (organization_id, asset_id, kind);
-- What a person has.
create index assignment_user on registry.assignment (organization_id, user_id)
    where user_id is not null;
-- What is out and should be back.
create index assignment_return on registry.assignment (organization_id, expected_return_at)
    where kind = 'CHECKOUT' and upper_inf(during);

create table registry.transfer (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    asset_id uuid not null,
    from_facility_id uuid not null,
    to_facility_id uuid not null,
    from_department_id uuid,
    to_department_id uuid,
    status text not null default 'REQUESTED' check (status in (
        'REQUESTED', 'APPROVED', 'IN_TRANSIT', 'RECEIVED', 'REFUSED', 'CANCELLED'
    )),
    requested_at timestamptz not null default now(),
    requested_by uuid,
    approved_at timestamptz,
    approved_by uuid,
    shipped_at timestamptz,
    received_at timestamptz,
    received_by uuid,
    reason text,
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id),
    foreign key (organization_id, from_facility_id)
        references registry.facility (organization_id, id),
    foreign key (organization_id, to_facility_id) references registry.facility (organization_id, id),
    foreign key (organization_id, from_department_id)
        references registry.department (organization_id, id),
    foreign key (organization_id, to_department_id)
        references registry.department (organization_id, id),
    foreign key (organization_id, requested_by)
        references registry.user_account (organization_id, id),
    foreign key (organization_id, approved_by)
        references registry.user_account (organization_id, id),
    foreign key (organization_id, received_by)
        references registry.user_account (organization_id, id),
    constraint transfer_is_received_at_a_time
        check ((status = 'RECEIVED') = (received_at is not null))
);
comment on table registry.transfer is
    'An asset goes from one facility or department to another; receiving it makes it theirs.';
call ops.finish_table('registry.transfer', 'asset');
create trigger receive after update of status on registry.transfer
    for each row when (new.status = 'RECEIVED' and old.status <> 'RECEIVED')
    execute function registry.receive_transfer();
-- The transfers of an asset.
create index transfer_asset on registry.transfer (organization_id, asset_id, requested_at);
-- What is under way: a small index beside years of past ones.
create index transfer_open on registry.transfer (organization_id, status)
    where status in ('REQUESTED', 'APPROVED', 'IN_TRANSIT');
-- One transfer of an asset under way.
create unique index transfer_once on registry.transfer (organization_id, asset_id)
    where status in ('REQUESTED', 'APPROVED', 'IN_TRANSIT') and deleted_at is null;

-- With the organization: else the refusal would tell one tenant when another's tag is worn, before
-- the foreign key says that it is not theirs.
alter table registry.tag_assignment
    drop constraint tag_is_worn_once,
    add constraint tag_is_worn_once exclude using gist
    (organization_id with =, tag_id with =, during with &&);
