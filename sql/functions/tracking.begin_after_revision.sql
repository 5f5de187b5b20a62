-- Keeps what the dataflow writes clear of a stretch of history that was revised meanwhile.
create or replace function tracking.begin_after_revision() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
declare
    revised timestamptz;
begin
    if new.revision > 0 then
        return new; -- a revision knows what it does
    end if;
    if tg_table_name = 'usage_session' then
        select max(ended_at) into revised from tracking.usage_session
        where asset_id = new.asset_id and method = new.method
            and revision > 0 and ended_at > new.started_at and id <> new.id;
        if revised is not null then
            new.started_at := revised;
            if new.ended_at < revised then
                new.ended_at := revised;
            end if;
        end if;
        return new;
    end if;
    if tg_table_name = 'room_visit' then
        select max(left_at) into revised from tracking.room_visit
        where asset_id = new.asset_id and building_id = new.building_id
            and revision > 0 and left_at > new.entered_at and id <> new.id;
    else
        select max(left_at) into revised from tracking.zone_visit
        where asset_id = new.asset_id and zone_id = new.zone_id
            and revision > 0 and left_at > new.entered_at and id <> new.id;
    end if;
    if revised is not null then
        new.entered_at := revised;
        if new.left_at < revised then
            new.left_at := revised;
        end if;
    end if;
    return new;
end
$$;
comment on function tracking.begin_after_revision() is
    'Trigger: a visit or session never begins inside a stretch that has been revised.';
