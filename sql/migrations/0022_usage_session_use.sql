-- transaction: none
--
-- When was this asset last used? Is it clean since, and for how long has it been idle?
create index concurrently usage_session_use
    on tracking.usage_session (organization_id, asset_id, started_at) where state = 'IN_USE';
