-- How likely is each asset to fail soon, by the active models, and is somebody on it already?
create function reporting.f_v_risk_current(as_of timestamptz)
returns table (
    organization_id uuid,
    facility_id uuid,
    asset_id uuid,
    model_name text,
    version text,
    horizon_h integer,
    p_failure double precision,
    p_low double precision,
    p_high double precision,
    scored_at timestamptz,
    factors jsonb,
    is_stale boolean,
    open_wo text,
    asset_tag text,
    failure_category text,
    expected_ttf_h double precision,
    model_id uuid
)
language sql stable
begin atomic
    with stale as materialized (
        select make_interval(
            hours => app.threshold('risk_stale_h', null, null, 48)::integer
        ) as after
    ),
    work as materialized (
        select distinct on (open.asset_id) open.asset_id, open.number
        from maintenance.work_order as open
        where open.status not in ('COMPLETED', 'CANCELLED') and open.deleted_at is null
        order by open.asset_id, open.reported_at
    )
    select
        risk.organization_id,
        asset.facility_id,
        risk.asset_id,
        model.name,
        model.model_version,
        risk.horizon_h,
        risk.p_failure,
        risk.p_low,
        risk.p_high,
        risk.scored_at,
        risk.factors,
        f_v_risk_current.as_of - risk.as_of > stale.after,
        work.number,
        asset.tag_number,
        risk.failure_category::text,
        risk.expected_ttf_h,
        risk.model_id
    from prediction.risk_current as risk
    cross join stale
    join prediction.model on model.id = risk.model_id
        and model.status = 'active'
        and model.deleted_at is null
    join registry.asset on asset.id = risk.asset_id
        and asset.deleted_at is null
        and asset.status not in ('CONDEMNED', 'RETIRED', 'DISPOSED')
    left join work on work.asset_id = risk.asset_id
    where risk.deleted_at is null;
end;
create view reporting.v_risk_current with (security_invoker = true) as
select * from reporting.f_v_risk_current(now());

comment on function reporting.f_v_risk_current(timestamptz) is
    'reporting.v_risk_current with staleness judged at a time.';
comment on view reporting.v_risk_current is
    'The newest score of each asset in service by each active model.';
comment on column reporting.v_risk_current.p_failure is
    'Probability, 0 to 1, of a failure within horizon_h; p_low and p_high its 90 % interval.';
comment on column reporting.v_risk_current.is_stale is
    'What it was computed from is older than the threshold risk_stale_h (48 h).';
comment on column reporting.v_risk_current.open_wo is 'Number of its oldest open work order.';
grant execute on function reporting.f_v_risk_current(timestamptz)
    to biotrakr_analyst, biotrakr_app;
grant select on reporting.v_risk_current to biotrakr_analyst, biotrakr_app;
