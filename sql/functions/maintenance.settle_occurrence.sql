-- Row trigger of a work order that is completed: what became of the occurrence it was opened for.
-- "Not located" and "in use" are no completions.
create or replace function maintenance.settle_occurrence() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
    update maintenance.occurrence
    set outcome = case
            when new.outcome in ('NOT_LOCATED', 'IN_USE') then new.outcome
            when new.outcome = 'REFUSED' then 'MISSED'
            else 'COMPLETED'
        end,
        completed_on = case
            when new.outcome in ('NOT_LOCATED', 'IN_USE', 'REFUSED') then null
            else (
                select (new.completed_at at time zone facility.time_zone)::date
                from registry.asset
                join registry.facility on facility.id = asset.facility_id
                where asset.id = new.asset_id
            )
        end
    where occurrence.organization_id = new.organization_id
        and occurrence.work_order_id = new.id
        and occurrence.outcome = 'OPEN';
    return null;
end
$$;
comment on function maintenance.settle_occurrence() is
    'Row trigger: the outcome of a completed work order''s occurrence.';
