-- transaction: none
--
-- Which alerts are open, or were open at a moment? Few, beside years of resolved ones.
create index concurrently alert_end
    on tracking.alert (organization_id, coalesce(resolved_at, 'infinity'));
