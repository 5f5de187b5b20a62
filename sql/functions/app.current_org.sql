-- Every policy and every barrier view asks this function whose rows it may show.
--
-- An application picks the organization per transaction: set local app.org_id = '<uuid>'. After
-- that transaction the setting is '' rather than NULL, hence nullif. NULL shows nothing.
--
-- Anybody who can type SQL can also type SET. So a login that is only an analyst is confined to
-- the organizations that app.login_organization lists for it, whatever it sets; with exactly one
-- it need not set anything.
create or replace function app.current_org() returns uuid
language sql stable parallel safe security definer
set search_path = pg_catalog
as $$
    select case
        when pg_has_role(session_user, 'biotrakr_app', 'member')
            or pg_has_role(session_user, 'biotrakr_ingest', 'member')
            or pg_has_role(session_user, 'biotrakr_backup', 'member')
            or pg_has_role(session_user, 'biotrakr_owner', 'member')
        then nullif(current_setting('app.org_id', true), '')::uuid
        else (
            select (array_agg(allowed.organization_id))[1]
            from app.login_organization as allowed
            where allowed.login = session_user
                and allowed.organization_id = coalesce(
                    nullif(current_setting('app.org_id', true), '')::uuid,
                    allowed.organization_id
                )
            having count(*) = 1
        )
    end
$$;
grant execute on function app.current_org()
    to biotrakr_analyst, biotrakr_app, biotrakr_ingest, biotrakr_backup;
comment on function app.current_org() is
    'The organization whose rows this session may see; NULL: none.';
