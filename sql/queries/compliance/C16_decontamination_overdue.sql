-- name: C16 decontamination_overdue
-- title: Which devices were used since their last decontamination, or had it too long ago?
-- audience: Q, N
-- param: facility text = null
-- param: as_of timestamptz = now
-- columns: asset_tag, name, reason, last_used_at, last_decontaminated_at, hours_overdue, protocol,
--          facility, room, department
-- notes: One row a device whose model names a protocol or an interval. reason: USED_SINCE, TOO_OLD
--        or NEVER (with an interval, none recorded). What is in use now is left out.
--        hours_overdue: since the use ended, or since the interval was over.
with device as (
    select
        register.*,
        model.decontamination_protocol as protocol,
        make_interval(secs => 3600 * model.decontamination_interval_h::double precision) as interval
    from reporting.v_asset_register as register
    join registry.asset on asset.id = register.asset_id
    join registry.device_model as model on model.id = asset.device_model_id
    where (model.decontamination_protocol is not null
            or model.decontamination_interval_h is not null)
        and register.status not in ('CONDEMNED', 'RETIRED', 'DISPOSED')
        and (%(facility)s::text is null or register.facility = %(facility)s::text)
),
known as (
    select
        device.*,
        clean.performed_at as clean_at,
        used.ended_at as used_at,
        used.is_running
    from device
    left join lateral (
        select decontamination.performed_at
        from maintenance.decontamination
        where decontamination.organization_id = device.organization_id
            and decontamination.asset_id = device.asset_id
            and decontamination.performed_at <= %(as_of)s::timestamptz
            and decontamination.result = 'PASS'
            and decontamination.deleted_at is null
        order by decontamination.performed_at desc
        limit 1
    ) as clean on true
    left join lateral (
        select
            max(least(session.ended_at, %(as_of)s::timestamptz)) as ended_at,
            bool_or(session.ended_at is null or session.ended_at > %(as_of)s::timestamptz)
                as is_running
        from tracking.usage_session as session
        where session.organization_id = device.organization_id
            and session.asset_id = device.asset_id
            and session.state = 'IN_USE'
            and session.started_at <= %(as_of)s::timestamptz
    ) as used on true
),
judged as (
    select
        known.*,
        case
            when known.used_at > known.clean_at
                or (known.used_at is not null and known.clean_at is null) then 'USED_SINCE'
            when known.clean_at is null and known.interval is not null then 'NEVER'
            when known.clean_at + known.interval < %(as_of)s::timestamptz then 'TOO_OLD'
        end as reason
    from known
    where not coalesce(known.is_running, false)
)
select
    judged.asset_tag,
    judged.name,
    judged.reason,
    judged.used_at as last_used_at,
    judged.clean_at as last_decontaminated_at,
    round(extract(epoch from %(as_of)s::timestamptz - case judged.reason
        when 'USED_SINCE' then judged.used_at
        when 'TOO_OLD' then judged.clean_at + judged.interval
    end) / 3600, 1) as hours_overdue,
    judged.protocol,
    judged.facility,
    room.name as room,
    judged.department
from judged
left join tracking.asset_location_current as place on place.asset_id = judged.asset_id
left join registry.room on room.id = place.room_id
where judged.reason is not null
order by hours_overdue desc nulls last, judged.asset_tag
