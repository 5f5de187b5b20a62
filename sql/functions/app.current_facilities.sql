-- To which facilities this session is confined; NULL: to none, it sees all of its organization.
--
-- An application names the user it acts for: set local app.user_id = '<uuid>'. The user's roles
-- decide; one without a facility opens the whole organization, and a user without any role sees no
-- facility. A login that is only an analyst could set anything, so for it app.login_facility
-- decides, as app.login_organization does for the organization.
create or replace function app.current_facilities() returns uuid[]
language plpgsql stable parallel safe security definer
set search_path = pg_catalog
as $$
declare
    acting constant uuid := app.current_user_id();
    listed uuid[];
    everywhere boolean;
begin
    if pg_has_role(session_user, 'biotrakr_app', 'member')
        or pg_has_role(session_user, 'biotrakr_ingest', 'member')
        or pg_has_role(session_user, 'biotrakr_backup', 'member')
        or pg_has_role(session_user, 'biotrakr_owner', 'member')
    then
        if acting is null then
            return null;
        end if;
        select
            coalesce(array_agg(held.facility_id) filter (where held.facility_id is not null), '{}'),
            coalesce(bool_or(held.facility_id is null), false)
        into listed, everywhere
        from registry.user_role as held
        where held.organization_id = app.current_org()
            and held.user_id = acting
            and held.deleted_at is null;
        return case when everywhere then null else listed end;
    end if;
    select array_agg(allowed.facility_id) into listed
    from app.login_facility as allowed
    where allowed.login = session_user
        and allowed.organization_id = app.current_org();
    return listed;
end
$$;
grant execute on function app.current_facilities()
    to biotrakr_analyst, biotrakr_app, biotrakr_ingest, biotrakr_backup;
comment on function app.current_facilities() is
    'The facilities whose rows this session may see; NULL: all of its organization.';
