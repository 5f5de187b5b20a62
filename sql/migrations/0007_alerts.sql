-- Alerts, their transitions, and row security for all of tracking.

create table tracking.alert (
    id uuid primary key,
    organization_id uuid not null,
    facility_id uuid not null,
    asset_id uuid not null,
    rule_id uuid not null,
    zone_id uuid,
    type text not null check (type ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    severity text not null check (severity in ('INFO', 'WARNING', 'ERROR', 'CRITICAL')),
    state text not null check (state in (
        'open', 'updated', 'escalated', 'acknowledged', 'resolved'
    )),
    revision integer not null check (revision >= 1),
    opened_at timestamptz not null,
    acknowledged_at timestamptz,
    acknowledged_by text,
    resolved_at timestamptz,
    late boolean not null default false,
    reason text not null,
    unique (organization_id, id),
    foreign key (organization_id, facility_id) references registry.facility (organization_id, id),
    foreign key (organization_id, asset_id) references registry.asset (organization_id, id),
    foreign key (organization_id, rule_id) references registry.rule (organization_id, id),
    foreign key (organization_id, zone_id) references registry.zone (organization_id, id),
    constraint alert_is_resolved_at_a_time check ((state = 'resolved') = (resolved_at is not null)),
    constraint alert_was_acknowledged_by_somebody
        check ((acknowledged_at is null) = (acknowledged_by is null))
);
comment on table tracking.alert is 'An alert as it stands; its transitions are in alert_event.';
comment on column tracking.alert.late is 'Found in late reads: recorded, not paged.';
-- What is open: a small index beside years of resolved ones.
create index alert_open on tracking.alert (organization_id, facility_id, severity)
    where state <> 'resolved';
-- The alerts of one asset, and of a range of time.
create index alert_asset on tracking.alert (organization_id, asset_id, opened_at);
create index alert_opened on tracking.alert (organization_id, opened_at);

create table tracking.alert_event (
    alert_id uuid not null,
    revision integer not null check (revision >= 1),
    organization_id uuid not null,
    state text not null check (state in (
        'open', 'updated', 'escalated', 'acknowledged', 'resolved'
    )),
    at timestamptz not null,
    reason text not null,
    evidence jsonb not null default '{}',
    payload jsonb not null,
    primary key (alert_id, revision),
    foreign key (organization_id, alert_id) references tracking.alert (organization_id, id)
);
comment on table tracking.alert_event is 'Every transition of every alert; rows are only added.';
comment on column tracking.alert_event.evidence is
    'What made the decision: figures, window, contenders.';
comment on column tracking.alert_event.payload is 'The message as it was published.';
-- A tenant's transitions over a range of time.
create index alert_event_at on tracking.alert_event (organization_id, at);

do $$
declare
    event text;
begin
    foreach event in array array[
        'asset_location_current', 'room_visit', 'zone_visit', 'usage_session', 'alert',
        'alert_event'
    ] loop
        execute format('alter table tracking.%I enable row level security', event);
        execute format('alter table tracking.%I force row level security', event);
        execute format(
            'create policy tenant on tracking.%I
             to biotrakr_owner, biotrakr_analyst, biotrakr_app
             using (organization_id = (select app.current_org()))
             with check (organization_id = (select app.current_org()))', event);
        execute format(
            'create policy ingest on tracking.%I to biotrakr_ingest
             using (true) with check (true)', event);
        execute format('grant select on tracking.%I to biotrakr_analyst, biotrakr_app', event);
        execute format('grant select, insert, update on tracking.%I to biotrakr_ingest', event);
    end loop;
end
$$;
-- A transition is a fact: nobody changes it afterwards.
revoke update on tracking.alert_event from biotrakr_ingest;

grant select on all tables in schema tracking to biotrakr_backup;
