-- How well is each receiver calibrated, since when, and what was tried?
drop view if exists reporting.receiver_calibration;
create view reporting.receiver_calibration with (security_barrier = true) as
select
    receiver.organization_id,
    gateway.facility_id,
    calibration.receiver_id,
    gateway.code as gateway_code,
    receiver.name as receiver_name,
    calibration.version,
    calibration.at,
    calibration.source,
    calibration.accepted,
    calibration.reason,
    calibration.p0_dbm,
    calibration.path_loss_exponent,
    calibration.sigma_db,
    calibration.previous_p0_dbm,
    calibration.previous_path_loss_exponent,
    calibration.previous_sigma_db,
    calibration.reads,
    calibration.on_bound,
    calibration.held_out_db,
    calibration.present_db,
    calibration.unseen_db
from pipeline.calibration
join registry.receiver on receiver.id = calibration.receiver_id
join registry.gateway on gateway.id = receiver.gateway_id
where receiver.organization_id = (select app.current_org());

comment on view reporting.receiver_calibration is
    'One row a receiver and calibration; the newest accepted one is in force unless a site file was
loaded since.';
grant select on reporting.receiver_calibration to biotrakr_analyst, biotrakr_app;
