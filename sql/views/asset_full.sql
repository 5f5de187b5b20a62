-- Everything about an asset, one row each, under the names of the requirements: whichever table it
-- comes from. Figures that a job computes come with metrics_computed_at; what nobody recorded is
-- NULL (reporting.v_asset_incomplete lists what should not be).
create view reporting.asset_full with (security_invoker = true) as
select
    asset.organization_id,
    asset.facility_id,

    -- 1. identification and classification
    asset.id as asset_id,
    asset.tag_number as asset_tag_number,
    asset.name as equipment_name,
    coalesce(maker.name, asset.manufacturer) as manufacturer,
    coalesce(model.model_number, asset.model) as model_number,
    asset.serial_number,
    asset.category as device_category,
    kind.name as device_subcategory,
    coalesce(asset.udi_di, model.udi_di) as udi_device_identifier,
    asset.udi_pi as udi_production_identifier,
    kind.gmdn_code,
    asset.status as asset_status,
    asset.criticality::text as criticality_level,

    -- 2. procurement
    asset.vendor_id,
    asset.purchase_order_number,
    asset.invoice_number,
    asset.purchased_on as purchase_date,
    asset.installed_on as installation_date,
    asset.purchase_cost,
    asset.currency_code::text as currency_code,
    funding.name as funding_source,
    funding.grant_number,
    coalesce(
        asset.replacement_cost,
        case when model.list_price_currency = asset.currency_code then model.list_price end
    ) as estimated_replacement_cost,
    asset.residual_value,

    -- 3. warranty and contracts
    warranty.starts_on as warranty_start_date,
    warranty.ends_on as warranty_end_date,
    warranty.terms as warranty_terms,
    amc.vendor_id as amc_provider_id,
    amc.number as amc_contract_number,
    amc.starts_on as amc_start_date,
    amc.ends_on as amc_end_date,
    amc.annual_cost as amc_cost_annual,
    cmc.vendor_id as cmc_provider_id,
    coalesce(cmc.service_level, amc.service_level, warranty.service_level)
        as service_level_agreement,

    -- 4. technical
    coalesce(model.specifications, '{}') || asset.specifications as technical_specifications,
    asset.software_version,
    asset.operating_system,
    asset.mac_address::text as network_mac_address,
    host(asset.ip_address) as ip_address,
    model.power_requirements,
    model.weight_kg,
    model.dimensions_cm,
    coalesce(model.requires_calibration, false) or calibration.scheduled as requires_calibration,
    calibration.interval_days as calibration_frequency_days,
    calibration.last_done as last_calibration_date,
    calibration.due_on as next_calibration_due,
    model.environmental_requirements,

    -- 5. regulatory
    model.risk_class::text as risk_classification,
    maker.fda_registration_number,
    model.fda_510k_number,
    model.ce_mark_certificate,
    maker.iso_certification,
    coalesce(recalled.recall_class, 'NONE') as recall_status,
    recalled.number as recall_notice_id,
    inspected.performed_on as last_safety_inspection_date,
    inspected.next_due_on as next_safety_inspection_due,
    model.waste_handling::text as biomedical_waste_handling,
    coalesce(model.requires_operator_certification, false)
        or exists (
            select from compliance.training_requirement as required
            where required.organization_id = asset.organization_id
                and required.device_type_id = model.device_type_id
                and (required.device_model_id is null or required.device_model_id = model.id)
                and required.deleted_at is null
        ) as requires_operator_certification,
    model.decontamination_protocol,

    -- 6. preventive maintenance
    pm.interval_days as pm_frequency_days,
    pm.last_done as last_pm_date,
    pm.due_on as next_pm_due_date,
    pm.document_url as pm_procedure_document,
    pm.estimated_hours as pm_estimated_duration_hours,
    asset.auto_work_orders as auto_generate_work_orders,
    pm.status as pm_compliance_status,

    -- 7. location
    coalesce(place.facility_id, asset.facility_id) as current_facility_id,
    place.building_id as current_building_id,
    place.floor_id as current_floor_id,
    place.room_id as current_room_id,
    (
        select left(string_agg(zone.code, ',' order by visit.entered_at desc), 50)
        from tracking.zone_visit as visit
        join registry.zone on zone.id = visit.zone_id
        where visit.organization_id = asset.organization_id
            and visit.asset_id = asset.id
            and visit.left_at is null
    ) as current_zone,
    place.x_m::numeric(10, 4) as current_coordinates_x,
    place.y_m::numeric(10, 4) as current_coordinates_y,
    place.z_m::numeric(10, 4) as current_coordinates_z,
    least(place.accuracy_m, 99.99)::numeric(4, 2) as location_accuracy_meters,
    place.last_seen_at as last_seen_timestamp,
    coalesce(place.moving, false) as is_moving,
    worn.rfid ->> 0 as rfid_tag_id,
    worn.rfid as rfid_tag_ids,
    worn.ble as ble_beacon_mac,
    -- On a sphere, and the building's plane is flat: good to centimetres within a campus.
    (
        building.latitude + degrees((
            place.y_m * cosd(coalesce(building.bearing_deg, 0))
            - place.x_m * sind(coalesce(building.bearing_deg, 0))
        ) / 6371008.8)
    )::numeric(10, 7) as gps_latitude,
    (
        building.longitude + degrees((
            place.x_m * cosd(coalesce(building.bearing_deg, 0))
            + place.y_m * sind(coalesce(building.bearing_deg, 0))
        ) / (6371008.8 * nullif(cosd(building.latitude), 0)))
    )::numeric(10, 7) as gps_longitude,
    (
        select count(*)::integer
        from tracking.alert
        where alert.organization_id = asset.organization_id
            and alert.asset_id = asset.id
            and alert.type = 'forbidden-zone'
    ) as geofence_violations,
    asset.home_room_id as home_location_id,

    -- 8. usage, computed
    coalesce(metric.total_usage_hours, 0) as total_usage_hours,
    metric.total_usage_cycles,
    coalesce(checkout.user_id, custody.user_id, asset.custodian_id) as current_assigned_user_id,
    coalesce(checkout.department_id, custody.department_id, asset.department_id)
        as current_assigned_department_id,
    metric.utilization_rate_percent,
    metric.idle_time_hours_last_30_days,
    metric.last_used_at as last_used_timestamp,
    metric.average_session_minutes as average_session_duration_minutes,
    metric.peak_usage_day_of_week,
    metric.peak_usage_hour_of_day,

    -- 9. prediction
    (risk.p_failure * 100)::numeric(5, 2) as failure_probability_score,
    (risk.as_of + make_interval(hours => risk.expected_ttf_h::integer))::date
        as predicted_failure_date,
    risk.failure_category::text as failure_category,
    metric.mtbf_hours,
    metric.mttr_hours,
    failed.times as failure_count_lifetime,
    failed.last_on as last_failure_date,
    risk.name || ' ' || risk.model_version as ml_model_version,
    (100 * (1 - (risk.p_high - risk.p_low)))::numeric(5, 2) as ml_prediction_confidence,
    risk.scored_at as ml_last_analyzed_timestamp,
    sensed.ids is not null as iot_sensor_enabled,
    coalesce(sensed.ids, '[]') as iot_sensor_ids,

    -- 10. finance
    written_off.method::text as depreciation_method,
    coalesce(written_off.life_years, kind.default_useful_life_years) as useful_life_years,
    written_off.salvage as salvage_value,
    metric.current_book_value,
    metric.accumulated_depreciation,
    metric.maintenance_cost as total_maintenance_cost_lifetime,
    metric.downtime_hours as total_downtime_hours_lifetime,
    asset.downtime_cost_per_hour,
    metric.total_cost_of_ownership,
    metric.roi_percent as roi_calculation,

    -- 11. responsibility
    coalesce(custody.user_id, asset.custodian_id) as primary_custodian_id,
    coalesce(custody.department_id, asset.department_id) as custodian_department_id,
    (
        select held.user_id
        from registry.assignment as held
        where held.asset_id = asset.id and held.kind = 'OPERATION' and upper_inf(held.during)
            and held.organization_id = asset.organization_id and held.deleted_at is null
    ) as current_operator_id,
    (
        select held.user_id
        from registry.assignment as held
        where held.asset_id = asset.id and held.kind = 'OPERATION' and not upper_inf(held.during)
            and held.organization_id = asset.organization_id and held.deleted_at is null
        order by upper(held.during) desc
        limit 1
    ) as last_operator_id,
    asset.requires_checkout,
    checkout.id is not null as checked_out,
    lower(checkout.during) as checkout_timestamp,
    checkout.expected_return_at as expected_return_timestamp,

    -- 12. integration
    synced.ehr_id as ehr_system_asset_id,
    synced.cmms_id as cmms_platform_asset_id,
    synced.erp_id as financial_system_asset_id,
    synced.fhir_id as hl7_fhir_resource_id,
    coalesce(synced.urls, '{}') as external_system_urls,
    synced.ehr_at as last_ehr_sync_timestamp,
    synced.cmms_at as last_cmms_sync_timestamp,
    coalesce(synced.status, 'NOT_CONFIGURED') as sync_status,

    -- 13. alerts; without any policy the defaults of registry.alert_policy hold
    coalesce(policy.pm_days_before, 14) as pm_alert_days_before,
    case when policy.id is null then 30 else policy.calibration_days_before end
        as calibration_alert_days_before,
    case when policy.id is null then 90 else policy.warranty_days_before end
        as warranty_expiry_alert_days,
    coalesce(policy.geofence_enabled, true) as geofence_alert_enabled,
    policy.idle_days as idle_alert_threshold_days,
    coalesce(policy.recipients, '[]') as alert_recipients,
    coalesce(policy.escalation_enabled, false) as escalation_enabled,
    policy.escalation_delay_h as escalation_delay_hours,

    -- 14. media
    coalesce(shown.photo, model.photo_url) as photo_url,
    coalesce(shown.installation, '[]') as installation_photo_urls,
    coalesce(shown.damage, '[]') as damage_photo_urls,
    coalesce(shown.manual, model.manual_url) as manual_document_url,
    coalesce(shown.service_manual, model.service_manual_url) as service_manual_url,
    coalesce(shown.videos, '[]') as training_video_urls,
    shown.qr_code as qr_code_image_url,
    asset.attachment_path as attachment_storage_path,

    -- 15. lifecycle
    asset.created_at,
    asset.created_by as created_by_user_id,
    asset.updated_at,
    asset.updated_by as updated_by_user_id,
    asset.deleted_at,
    asset.deleted_by as deleted_by_user_id,
    asset.version,
    asset.notes,

    metric.computed_at as metrics_computed_at,
    asset.complete
from registry.asset
left join registry.device_model as model on model.id = asset.device_model_id
left join registry.manufacturer as maker on maker.id = model.manufacturer_id
left join registry.device_type as kind on kind.id = model.device_type_id
left join registry.funding_source as funding on funding.id = asset.funding_source_id
left join tracking.asset_location_current as place on place.asset_id = asset.id
left join registry.building on building.id = place.building_id
left join registry.asset_metric as metric
    on metric.organization_id = asset.organization_id and metric.asset_id = asset.id
left join registry.alert_policy as policy
    on policy.organization_id = asset.organization_id
    and policy.deleted_at is null
    and case
        when asset.alert_policy_id is null then policy.is_default
        else policy.id = asset.alert_policy_id
    end
left join finance.book on book.organization_id = asset.organization_id
    and book.is_primary and book.deleted_at is null
left join finance.depreciation as written_off
    on written_off.organization_id = asset.organization_id
    and written_off.asset_id = asset.id
    and written_off.book_id = book.id
    and written_off.deleted_at is null
left join registry.assignment as checkout
    on checkout.organization_id = asset.organization_id
    and checkout.asset_id = asset.id and checkout.kind = 'CHECKOUT'
    and upper_inf(checkout.during) and checkout.deleted_at is null
left join registry.assignment as custody
    on custody.organization_id = asset.organization_id
    and custody.asset_id = asset.id and custody.kind = 'CUSTODY'
    and upper_inf(custody.during) and custody.deleted_at is null
left join lateral (
    select contract.vendor_id, contract.terms, contract.service_level::text,
        coalesce(covered.starts_on, contract.starts_on) as starts_on,
        coalesce(covered.ends_on, contract.ends_on) as ends_on
    from registry.contract_asset as covered
    join registry.contract on contract.id = covered.contract_id
    where covered.organization_id = asset.organization_id and covered.asset_id = asset.id
        and contract.kind = 'WARRANTY'
        and covered.deleted_at is null and contract.deleted_at is null
    order by coalesce(covered.ends_on, contract.ends_on) desc
    limit 1
) as warranty on true
left join lateral (
    select contract.vendor_id, contract.number, contract.service_level::text,
        coalesce(covered.starts_on, contract.starts_on) as starts_on,
        coalesce(covered.ends_on, contract.ends_on) as ends_on,
        coalesce(covered.annual_cost, round(contract.annual_cost / (
            select count(*)
            from registry.contract_asset as other
            where other.organization_id = covered.organization_id
                and other.contract_id = covered.contract_id and other.deleted_at is null
        ), 2)) as annual_cost
    from registry.contract_asset as covered
    join registry.contract on contract.id = covered.contract_id
    where covered.organization_id = asset.organization_id and covered.asset_id = asset.id
        and contract.kind = 'AMC'
        and covered.deleted_at is null and contract.deleted_at is null
    order by coalesce(covered.ends_on, contract.ends_on) desc
    limit 1
) as amc on true
left join lateral (
    select contract.vendor_id, contract.service_level::text
    from registry.contract_asset as covered
    join registry.contract on contract.id = covered.contract_id
    where covered.organization_id = asset.organization_id and covered.asset_id = asset.id
        and contract.kind = 'CMC'
        and covered.deleted_at is null and contract.deleted_at is null
    order by coalesce(covered.ends_on, contract.ends_on) desc
    limit 1
) as cmc on true
cross join lateral (
    select
        exists (
            select from maintenance.schedule as planned
            where planned.organization_id = asset.organization_id
                and planned.asset_id = asset.id and planned.kind = 'CALIBRATION'
                and planned.deleted_at is null
        ) as scheduled,
        (
            select min(planned.interval_days)
            from maintenance.schedule as planned
            where planned.organization_id = asset.organization_id
                and planned.asset_id = asset.id and planned.kind = 'CALIBRATION'
                and planned.deleted_at is null
        ) as interval_days,
        max(status.last_done) as last_done,
        min(status.due_on) as due_on
    from reporting.v_calibration_status as status
    where status.asset_id = asset.id
) as calibration
left join lateral (
    select recall.recall_class::text, recall.number
    from compliance.recall_asset as touched
    join compliance.recall on recall.id = touched.recall_id
    where touched.organization_id = asset.organization_id and touched.asset_id = asset.id
        and touched.assessment <> 'NOT_AFFECTED'
        and touched.disposition in ('OPEN', 'IN_PROGRESS')
        and touched.deleted_at is null and recall.deleted_at is null
    order by recall.severity_rank, recall.published_on desc
    limit 1
) as recalled on true
left join lateral (
    select inspection.performed_on, inspection.next_due_on
    from compliance.inspection
    where inspection.organization_id = asset.organization_id and inspection.asset_id = asset.id
        and inspection.kind = 'ELECTRICAL_SAFETY' and inspection.deleted_at is null
    order by inspection.performed_on desc
    limit 1
) as inspected on true
left join lateral (
    -- Of several schedules the one that is due first.
    select status.interval_days, status.last_done, status.due_on, work.document_url,
        work.estimated_hours,
        case status.pm_status
            when 'DUE' then 'COMPLIANT'
            when 'GRACE' then 'GRACE_PERIOD'
            else status.pm_status
        end as status
    from reporting.v_pm_schedule as status
    join maintenance.schedule as planned on planned.id = status.schedule_id
    join maintenance.procedure as work on work.id = planned.procedure_id
    where status.asset_id = asset.id
    order by status.due_on
    limit 1
) as pm on true
cross join lateral (
    select
        jsonb_agg(tag.name order by lower(pair.during))
            filter (where tag.name like 'epc:%' or tag.name like 'rfid:%') as rfid,
        min(substr(tag.name, 5)) filter (where tag.name like 'ble:%') as ble
    from registry.tag_assignment as pair
    join registry.tag on tag.id = pair.tag_id
    where pair.organization_id = asset.organization_id and pair.asset_id = asset.id
        and pair.during @> now()
) as worn
left join lateral (
    select score.*, model.name, model.model_version
    from prediction.risk_current as score
    join prediction.model on model.id = score.model_id
    where score.organization_id = asset.organization_id and score.asset_id = asset.id
    -- What the active model says of about a month; before there is one, what any says.
    order by (model.status = 'active') desc, abs(score.horizon_h - 720), score.scored_at desc
    limit 1
) as risk on true
cross join lateral (
    select count(*)::integer as times,
        max(coalesce(work_order.failed_at, work_order.reported_at))::date as last_on
    from maintenance.work_order
    where work_order.organization_id = asset.organization_id and work_order.asset_id = asset.id
        and work_order.failure_confirmed and work_order.deleted_at is null
        and work_order.type in ('CORRECTIVE_MAINTENANCE', 'EMERGENCY_REPAIR')
) as failed
cross join lateral (
    select jsonb_agg(sensor.id order by sensor.code) as ids
    from registry.sensor
    where sensor.organization_id = asset.organization_id and sensor.asset_id = asset.id
        and sensor.enabled and sensor.deleted_at is null
) as sensed
cross join lateral (
    select
        min(link.external_id) filter (where system.kind = 'EHR') as ehr_id,
        min(link.external_id) filter (where system.kind = 'CMMS') as cmms_id,
        min(link.external_id) filter (where system.kind = 'ERP') as erp_id,
        min(link.external_id) filter (where system.kind = 'FHIR') as fhir_id,
        jsonb_object_agg(system.code, link.url) filter (where link.url is not null) as urls,
        max(link.last_synced_at) filter (where system.kind = 'EHR') as ehr_at,
        max(link.last_synced_at) filter (where system.kind = 'CMMS') as cmms_at,
        case
            when bool_or(link.status = 'FAILED') then 'FAILED'
            when bool_or(link.status = 'PENDING') then 'PENDING'
            when bool_or(link.status = 'SYNCED') then 'SYNCED'
        end as status
    from registry.external_sync as link
    join registry.external_system as system on system.id = link.system_id
    where link.organization_id = asset.organization_id and link.asset_id = asset.id
        and link.deleted_at is null
) as synced
cross join lateral (
    select
        (array_agg(media.url::text order by media.asset_id nulls last, media.created_at)
            filter (where media.kind = 'PHOTO'))[1] as photo,
        jsonb_agg(media.url::text order by media.created_at)
            filter (where media.kind = 'INSTALLATION_PHOTO') as installation,
        jsonb_agg(media.url::text order by media.created_at)
            filter (where media.kind = 'DAMAGE_PHOTO') as damage,
        (array_agg(media.url::text order by media.asset_id nulls last, media.created_at)
            filter (where media.kind = 'MANUAL'))[1] as manual,
        (array_agg(media.url::text order by media.asset_id nulls last, media.created_at)
            filter (where media.kind = 'SERVICE_MANUAL'))[1] as service_manual,
        jsonb_agg(media.url::text order by media.created_at)
            filter (where media.kind = 'TRAINING_VIDEO') as videos,
        min(media.url::text) filter (where media.kind = 'QR_CODE') as qr_code
    from registry.media
    where media.organization_id = asset.organization_id and media.deleted_at is null
        and (media.asset_id = asset.id or media.device_model_id = asset.device_model_id)
) as shown
where asset.deleted_at is null;

comment on view reporting.asset_full is
    'Each live asset with the 156 fields of the requirements, each under its name.';
comment on column reporting.asset_full.failure_probability_score is
    'Per cent, of a failure within the model''s horizon.';
comment on column reporting.asset_full.ml_prediction_confidence is
    '100 minus the width of the score''s interval, in per cent.';
comment on column reporting.asset_full.recall_status is
    'Class of the most serious recall that is open for it; class I is the most serious.';
comment on column reporting.asset_full.sync_status is 'The worst of its systems.';
comment on column reporting.asset_full.pm_compliance_status is
    'Of the schedule that is due first; NULL: it has none.';
comment on column reporting.asset_full.gps_latitude is
    'From its place in a building whose origin is known.';
comment on column reporting.asset_full.metrics_computed_at is
    'When the figures of usage, reliability and money were computed.';
grant select on reporting.asset_full to biotrakr_analyst, biotrakr_app;
