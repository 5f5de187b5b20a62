-- Writes down an access that changes nothing: an export, or the reading of what is confidential.
create or replace function audit.note(action text, relation text, reason text) returns void
language plpgsql security definer
set search_path = pg_catalog
as $$
begin
    if note.action not in ('EXPORT', 'READ') then
        raise exception 'an access is EXPORT or READ, not %', note.action
            using errcode = 'invalid_parameter_value';
    end if;
    if app.current_org() is null then
        raise exception 'no organization is named: set app.org_id'
            using errcode = 'invalid_parameter_value';
    end if;
    perform audit.append(
        app.current_org(), note.action, note.relation, null, null, null, null, null, note.reason
    );
end
$$;
comment on function audit.note(text, text, text) is
    'Adds an EXPORT or READ of a relation to the trail of the present organization.';
grant execute on function audit.note(text, text, text) to biotrakr_analyst, biotrakr_app;
