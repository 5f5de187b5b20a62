-- transaction: none
--
-- What was free in this store in a range of time: the past of a PAR level.
create index concurrently usage_session_room
    on tracking.usage_session (organization_id, room_id, coalesce(ended_at, 'infinity'))
    where state = 'AVAILABLE' and method = 'presence';
