-- Every calibration of a receiver with what it was worth, also those that were refused. What is in
-- force stands in registry.receiver; what stood there before is kept here. Only ops calibrate: tenants
-- read reporting.receiver_calibration.

create table pipeline.calibration (
    receiver_id uuid not null references registry.receiver (id),
    version integer not null check (version > 0),
    at timestamptz not null default clock_timestamp(),
    source text not null check (source in ('survey', 'reference-tags', 'receivers')),
    accepted boolean not null,
    reason text not null,
    p0_dbm double precision not null check (p0_dbm between -120 and 20),
    path_loss_exponent double precision not null check (path_loss_exponent between 1.2 and 6),
    sigma_db double precision not null check (sigma_db > 0),
    previous_p0_dbm double precision not null,
    previous_path_loss_exponent double precision not null,
    previous_sigma_db double precision not null,
    reads bigint not null check (reads >= 0),
    on_bound boolean not null,
    held_out_db double precision,
    present_db double precision,
    unseen_db double precision,
    primary key (receiver_id, version)
);
comment on table pipeline.calibration is
    'Calibrations of receivers, accepted or not, with the values that each was to replace.';
comment on column pipeline.calibration.source is 'Where the reads came from.';
comment on column pipeline.calibration.on_bound is
    'The exponent ended on its bound: the reads do not look like path loss.';
comment on column pipeline.calibration.held_out_db is
    'RMS residual on places that it was not fitted to, of the whole building; NULL: not tested.';
comment on column pipeline.calibration.present_db is 'The same of what was in force.';
comment on column pipeline.calibration.unseen_db is
    'RMS residual of this receiver as the others would predict it.';

grant select on pipeline.calibration to biotrakr_backup;
