-- Every calibration of a receiver with what it was worth, also those that were refused. What is in
-- force stands in registry.receiver; what stood there before is kept here.

create table registry.calibration (
    organization_id uuid not null,
    receiver_id uuid not null,
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
    primary key (organization_id, receiver_id, version),
    foreign key (organization_id, receiver_id) references registry.receiver (organization_id, id)
);
comment on table registry.calibration is
    'Calibrations of receivers, accepted or not, with the values that each was to replace.';
comment on column registry.calibration.source is 'Where the reads came from.';
comment on column registry.calibration.on_bound is
    'The exponent ended on its bound: the reads do not look like path loss.';
comment on column registry.calibration.held_out_db is
    'RMS residual on places that it was not fitted to, of the whole building; NULL: not tested.';
comment on column registry.calibration.present_db is 'The same of what was in force.';
comment on column registry.calibration.unseen_db is
    'RMS residual of this receiver as the others would predict it.';

alter table registry.calibration enable row level security;
alter table registry.calibration force row level security;
create policy tenant on registry.calibration
    to biotrakr_owner, biotrakr_analyst, biotrakr_app
    using (organization_id = (select app.current_org()))
    with check (organization_id = (select app.current_org()));
create policy ingest on registry.calibration to biotrakr_ingest
    using (true) with check (true);
grant select on registry.calibration to biotrakr_analyst, biotrakr_ingest, biotrakr_backup;
grant select, insert on registry.calibration to biotrakr_app;
