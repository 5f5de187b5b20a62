-- Where was it? One row an asset and window. Always give a range of ts: it decides which chunks
-- are read at all.
--
-- Runs as the owner, who alone may read the hypertable; the barrier keeps other tenants' rows from
-- any function in the query above it.
drop view if exists reporting.location_history;
create view reporting.location_history with (security_barrier = true) as
select
    history.organization_id,
    history.asset_id,
    history.ts,
    history.building_id,
    history.floor_id,
    history.room_id,
    room.code as room_code,
    room.name as room_name,
    history.x_m,
    history.y_m,
    history.z_m,
    history.accuracy_m,
    history.cov_xx,
    history.cov_xy,
    history.cov_yy,
    history.room_confidence,
    method.name as method,
    reason.name as reason,
    history.receivers,
    history.reads,
    history.moving
from telemetry.location_history as history
left join registry.room on room.id = history.room_id
left join telemetry.location_method as method on method.code = history.method
left join telemetry.location_reason as reason on reason.code = history.reason
where history.organization_id = (select app.current_org())
    and history.asset_id not in (
        select asset.id from registry.asset where asset.deleted_at is not null
    )
    and (
        (select app.current_facilities()) is null
        or history.building_id in (select building.id from registry.building)
    );

comment on view reporting.location_history is
    'Where every asset was at the end of every window; filter by ts.';
comment on column reporting.location_history.ts is 'End of the window, event time.';
comment on column reporting.location_history.accuracy_m is
    'Radius around (x_m, y_m) that holds the truth 90 % of the time.';
comment on column reporting.location_history.cov_xx is 'Covariance of the position, m2.';
comment on column reporting.location_history.room_confidence is 'Probability of the room, 0 to 1.';
comment on column reporting.location_history.method is 'How the position came about.';
comment on column reporting.location_history.reason is 'Why it is what it is.';
comment on column reporting.location_history.receivers is 'How many receivers heard it.';
comment on column reporting.location_history.reads is 'How many reads the window held.';
grant select on reporting.location_history to biotrakr_analyst, biotrakr_app;
