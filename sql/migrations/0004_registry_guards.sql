-- Row security, versions and revisions of the masters, the same for each of them.

create table registry.facility_revision (
    facility_id uuid primary key,
    organization_id uuid not null,
    revision bigint not null,
    foreign key (organization_id, facility_id) references registry.facility (organization_id, id)
);
comment on table registry.facility_revision is
    'Counts the changes of a facility''s masters; a dataflow that sees a new one reads them again.';

do $$
declare
    master text;
begin
    foreach master in array array[
        'facility', 'building', 'floor', 'room', 'zone', 'gateway', 'receiver', 'asset', 'tag',
        'tag_assignment', 'rule', 'facility_revision'
    ] loop
        execute format('alter table registry.%I enable row level security', master);
        execute format('alter table registry.%I force row level security', master);
        -- The owner too: barrier views and definer functions run as it.
        execute format(
            'create policy tenant on registry.%I
             to biotrakr_owner, biotrakr_analyst, biotrakr_app
             using (organization_id = (select app.current_org()))
             with check (organization_id = (select app.current_org()))', master);
        -- So that the dataflow needs no right to pass by row security everywhere.
        execute format(
            'create policy ingest on registry.%I to biotrakr_ingest
             using (true) with check (true)', master);
        -- Analysts may not name these tables (no usage on the schema); their views read them
        -- with the analyst's own rights and row security.
        execute format('grant select on registry.%I to biotrakr_analyst, biotrakr_ingest', master);
        execute format('grant select, insert, update on registry.%I to biotrakr_app', master);
    end loop;

    foreach master in array array[
        'organization', 'facility', 'building', 'floor', 'room', 'zone', 'gateway', 'receiver',
        'asset', 'tag', 'tag_assignment', 'rule'
    ] loop
        execute format(
            'create trigger touch before update on registry.%I
             for each row execute function registry.touch()', master);
        -- One trigger an event: transition tables allow no more.
        execute format(
            'create trigger bump_revision_insert after insert on registry.%I
             referencing new table as new_rows
             for each statement execute function registry.bump_revision()', master);
        execute format(
            'create trigger bump_revision_update after update on registry.%I
             referencing old table as old_rows new table as new_rows
             for each statement execute function registry.bump_revision()', master);
        execute format(
            'create trigger bump_revision_delete after delete on registry.%I
             referencing old table as old_rows
             for each statement execute function registry.bump_revision()', master);
    end loop;
end
$$;

grant select on all tables in schema registry, app to biotrakr_backup;
