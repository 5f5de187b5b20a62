-- Which assets are under an open recall? One row a recall and asset.
--
-- What was recorded (compliance.recall_asset) stands; beside it every asset that a scope of the
-- recall fits, or that cannot be told apart for want of a lot, a serial number or a date. An asset
-- found not to be affected has no row. What nobody has recorded yet has the disposition OPEN.
create function reporting.f_v_recall_exposure(as_of timestamptz)
returns table (
    organization_id uuid, facility_id uuid, recall_id uuid, agency text, number text,
    recall_class text, severity_rank integer, asset_id uuid, match_basis text, disposition text,
    located_room text, days_open integer, due_on date, assessment text, recorded boolean
)
language sql stable parallel safe
begin atomic
    with open_recall as (
        select
            recall.*, app.fold(recall.manufacturer) as folded
        from compliance.recall
        where recall.deleted_at is null
            and recall.received_at <= as_of
            and (recall.closed_at is null or recall.closed_at > as_of)
    ),
    maker as (
        -- Names are folded once a maker, not once an asset.
        select manufacturer.id, app.fold(manufacturer.name) as folded
        from registry.manufacturer
    ),
    candidate as (
        select
            open_recall.id as recall_id, asset.id as asset_id,
            coalesce(model.model_number, asset.model) as model_number,
            coalesce(asset.udi_di, model.udi_di) as udi_di,
            asset.lot_number, asset.serial_number, asset.manufactured_on, asset.software_version
        from open_recall
        join maker on maker.folded = open_recall.folded
        join registry.device_model as model on model.manufacturer_id = maker.id
        join registry.asset on asset.device_model_id = model.id
        where asset.deleted_at is null
        union all
        -- Without a model, what stands on its label.
        select
            open_recall.id, asset.id, asset.model, asset.udi_di, asset.lot_number,
            asset.serial_number, asset.manufactured_on, asset.software_version
        from registry.asset
        join open_recall on open_recall.folded = app.fold(asset.manufacturer)
        where asset.device_model_id is null and asset.deleted_at is null
    ),
    verdict as (
        select
            candidate.recall_id,
            candidate.asset_id,
            case
                when scope.serial_from is not null then 'SERIAL'
                when scope.lot_from is not null then 'LOT'
                when scope.manufactured_from is not null then 'DATE'
                when scope.udi_di is not null then 'UDI'
                else 'MODEL'
            end as match_basis,
            -- NULL: it cannot be told.
            (scope.model_number is null
                or app.fold(scope.model_number) = app.fold(nullif(candidate.model_number, '')))
            and (scope.udi_di is null or scope.udi_di = candidate.udi_di)
            and (scope.software_version is null
                or scope.software_version = candidate.software_version)
            and (scope.manufactured_from is null
                or candidate.manufactured_on
                    between scope.manufactured_from
                    and coalesce(scope.manufactured_to, scope.manufactured_from))
            and reporting.in_number_range(candidate.lot_number, scope.lot_from, scope.lot_to)
            and reporting.in_number_range(
                candidate.serial_number, scope.serial_from, scope.serial_to
            ) as fits
        from candidate
        join compliance.recall_scope as scope on scope.recall_id = candidate.recall_id
        where scope.deleted_at is null
    ),
    found as (
        -- Any scope that fits will do; of two alike the narrower one says why.
        select distinct on (recall_id, asset_id)
            recall_id, asset_id, match_basis,
            case when fits then 'AFFECTED' else 'NEEDS_INSPECTION' end as assessment
        from verdict
        where fits is not false
        order by
            recall_id, asset_id, fits nulls last,
            array_position(array['SERIAL', 'LOT', 'DATE', 'UDI', 'MODEL'], match_basis)
    ),
    recorded as (
        select
            recall_asset.recall_id, recall_asset.asset_id, recall_asset.match_basis,
            recall_asset.assessment, recall_asset.disposition, recall_asset.disposed_at
        from compliance.recall_asset
        where recall_asset.deleted_at is null
    ),
    exposed as (
        select recall_id, asset_id, match_basis, assessment, disposition, disposed_at, true as known
        from recorded
        where assessment <> 'NOT_AFFECTED' and disposition <> 'NOT_AFFECTED'
        union all
        select recall_id, asset_id, match_basis, assessment, 'OPEN', null, false
        from found
        where not exists (
            select from recorded
            where recorded.recall_id = found.recall_id and recorded.asset_id = found.asset_id
        )
    )
    select
        asset.organization_id,
        asset.facility_id,
        open_recall.id,
        open_recall.agency,
        open_recall.number,
        open_recall.recall_class::text,
        open_recall.severity_rank,
        asset.id,
        exposed.match_basis,
        exposed.disposition,
        room.name,
        floor(
            extract(epoch from least(exposed.disposed_at, as_of) - open_recall.received_at) / 86400
        )::integer,
        open_recall.due_on,
        exposed.assessment,
        exposed.known
    from exposed
    join open_recall on open_recall.id = exposed.recall_id
    join registry.asset on asset.id = exposed.asset_id
    left join tracking.asset_location_current as place on place.asset_id = asset.id
    left join registry.room on room.id = place.room_id
    where asset.deleted_at is null
        and asset.status <> 'DISPOSED';
end;
comment on function reporting.f_v_recall_exposure(timestamptz) is 'v_recall_exposure as of a time.';
grant execute on function reporting.f_v_recall_exposure(timestamptz)
    to biotrakr_analyst, biotrakr_app;

create view reporting.v_recall_exposure with (security_invoker = true) as
select * from reporting.f_v_recall_exposure(now());

comment on view reporting.v_recall_exposure is
    'One row an open recall and asset that is affected, or for which it cannot be told.';
comment on column reporting.v_recall_exposure.severity_rank is
    '1: recall class I, the most serious. A device''s class runs the other way.';
comment on column reporting.v_recall_exposure.match_basis is
    'The narrowest thing that the recall names: SERIAL, LOT, DATE, UDI, MODEL; or MANUAL.';
comment on column reporting.v_recall_exposure.days_open is
    'Whole days from the receipt to the disposition, or to now.';
comment on column reporting.v_recall_exposure.assessment is
    'AFFECTED, or NEEDS_INSPECTION: a lot, serial number or date is missing or not comparable.';
comment on column reporting.v_recall_exposure.recorded is
    'Somebody has taken it up; false: found by the scope alone.';
grant select on reporting.v_recall_exposure to biotrakr_analyst, biotrakr_app;
