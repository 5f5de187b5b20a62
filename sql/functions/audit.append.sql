-- Adds one row to an organization's chain; the callers are audit.record and audit.note. One writer
-- an organization at a time, until its transaction ends. Triggers come at commit, when a
-- transaction holds every other lock it will ever want: so the wait is short and closes no circle.
create or replace function audit.append(
    organization uuid, what text, on_relation text, on_row uuid, of_version integer,
    was jsonb, became jsonb, columns text[], why text
) returns void
language plpgsql security definer
set search_path = pg_catalog
set timezone = 'UTC'
as $$
declare
    previous_sequence bigint;
    previous_hash bytea;
    entry audit.log;
begin
    perform pg_advisory_xact_lock(hashtextextended('audit.log/' || organization, 0));
    select sequence, hash into previous_sequence, previous_hash
    from audit.log
    where organization_id = organization
    order by sequence desc
    limit 1;
    entry.organization_id := organization;
    entry.sequence := coalesce(previous_sequence, 0) + 1;
    entry.at := clock_timestamp();
    entry.login := session_user;
    entry.role := coalesce(nullif(current_setting('role'), 'none'), session_user);
    entry.user_id := app.current_user_id();
    entry.client := nullif(concat_ws(
        ' ', host(inet_client_addr()), nullif(current_setting('application_name'), '')
    ), '');
    entry.request_id := left(nullif(current_setting('app.request_id', true), ''), 200);
    entry.reason := left(
        coalesce(why, nullif(current_setting('app.reason', true), '')), 1000
    );
    entry.action := what;
    entry.relation := on_relation;
    entry.row_id := on_row;
    entry.version := of_version;
    entry.before := was;
    entry.after := became;
    entry.changed := coalesce(columns, '{}');
    entry.hash := audit.digest(previous_hash, to_jsonb(entry) - 'hash');
    begin
        insert into audit.log select entry.*;
    exception
        -- Under REPEATABLE READ the head that was seen may be an old one.
        when unique_violation then
            raise exception 'the audit trail has grown meanwhile: try the transaction again'
                using errcode = 'serialization_failure';
    end;
end
$$;
comment on function audit.append(
    uuid, text, text, uuid, integer, jsonb, jsonb, text[], text
) is 'One row of audit.log, chained to the one before.';
