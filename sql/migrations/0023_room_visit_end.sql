-- transaction: none
--
-- Who was where in a range of time, or at a moment: visits that had not ended by then.
create index concurrently room_visit_end
    on tracking.room_visit (organization_id, coalesce(left_at, 'infinity'));
