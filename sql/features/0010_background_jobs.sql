-- role: session
--
-- What TimescaleDB's background jobs need, by edition.
--
-- Community: a hypertable's policies run as its owner, who must then be able to log in. It has no
-- password, so nobody else can (unless pg_hba.conf trusts everybody).
-- Apache: nothing runs as the owner. But the edition ships a clean-up job for a job history that
-- only the other one writes; here it fails at every run and fills the server's log.
do $$
declare
    community constant boolean := current_setting('timescaledb.license', true) = 'timescale';
begin
    if (select rolcanlogin <> community from pg_roles where rolname = 'biotrakr_owner') then
        begin
            if community then
                alter role biotrakr_owner login password null;
            else
                alter role biotrakr_owner nologin;
            end if;
        exception
            -- The migration of another database of this cluster is doing the same.
            when internal_error then null; -- "tuple concurrently updated"
        end;
    end if;
    if (select rolsuper from pg_roles where rolname = current_user) then
        update _timescaledb_config.bgw_job as job
        set scheduled = community
        where job.id = 3
            and job.proc_name = 'policy_job_stat_history_retention'
            and job.scheduled <> community;
    end if;
end
$$;
