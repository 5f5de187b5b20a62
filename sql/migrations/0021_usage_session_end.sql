-- transaction: none
--
-- What was used in a range of time, and what is being used now: sessions that had not ended by its
-- beginning. Years of sessions lie before it; started_at alone would read them all.
create index concurrently usage_session_end
    on tracking.usage_session (organization_id, coalesce(ended_at, 'infinity'));
