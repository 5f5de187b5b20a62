-- Who must be trained on what, and is it still valid? One row an active user and requirement, and
-- one for training that nothing requires.
--
-- A requirement without a job concerns whoever has run or taken out such a device. One for a model
-- is met by training on this model or on the whole type; one for a type by training on the type.
create function reporting.f_v_training_compliance(as_of timestamptz)
returns table (
    organization_id uuid, user_id uuid, device_type text, required boolean, last_trained date,
    valid_until date, status text, device_model text, device_type_id uuid, device_model_id uuid
)
language sql stable parallel safe
begin atomic
    with person as (
        select id, user_account.organization_id, job
        from registry.user_account
        where active and deleted_at is null
    ),
    ran as materialized (
        select distinct assignment.user_id, model.device_type_id, model.id as device_model_id
        from registry.assignment
        join registry.asset on asset.id = assignment.asset_id
        join registry.device_model as model on model.id = asset.device_model_id
        where assignment.kind in ('OPERATION', 'CHECKOUT')
            and assignment.deleted_at is null
            and lower(assignment.during) <= as_of
    ),
    need as (
        select
            person.organization_id, person.id as user_id, requirement.device_type_id,
            requirement.device_model_id, min(requirement.valid_days) as valid_days,
            true as required
        from compliance.training_requirement as requirement
        join person
            on person.organization_id = requirement.organization_id
            and (person.job = requirement.job or (
                requirement.job is null
                and exists (
                    select from ran
                    where ran.user_id = person.id
                        and ran.device_type_id = requirement.device_type_id
                        and (requirement.device_model_id is null
                            or ran.device_model_id = requirement.device_model_id)
                )
            ))
        where requirement.deleted_at is null
        group by
            person.organization_id, person.id, requirement.device_type_id,
            requirement.device_model_id
    ),
    given as (
        select
            training.user_id, training.device_type_id, training.device_model_id,
            training.trained_on, training.valid_until, training.organization_id
        from compliance.training
        where training.deleted_at is null
            and training.result <> 'FAIL'
            and training.trained_on <= (as_of at time zone 'UTC')::date
    ),
    wanted as (
        select * from need
        union all
        select distinct
            given.organization_id, given.user_id, given.device_type_id, given.device_model_id,
            null::integer, false
        from given
        join person on person.id = given.user_id
        where not exists (
            select from need
            where need.user_id = given.user_id
                and need.device_type_id = given.device_type_id
                and need.device_model_id is not distinct from given.device_model_id
        )
    )
    select
        wanted.organization_id,
        wanted.user_id,
        kind.name,
        wanted.required,
        best.trained_on,
        best.valid_until,
        case
            when best.trained_on is null then 'MISSING'
            when best.valid_until < (as_of at time zone 'UTC')::date then 'EXPIRED'
            when best.valid_until <= (as_of at time zone 'UTC')::date + 30 then 'EXPIRING'
            else 'VALID'
        end,
        model.model_number,
        wanted.device_type_id,
        wanted.device_model_id
    from wanted
    join registry.device_type as kind on kind.id = wanted.device_type_id
    left join registry.device_model as model on model.id = wanted.device_model_id
    left join lateral (
        select
            given.trained_on,
            least(given.valid_until, given.trained_on + wanted.valid_days) as valid_until
        from given
        where given.user_id = wanted.user_id
            and given.device_type_id = wanted.device_type_id
            and (given.device_model_id is null
                or given.device_model_id = wanted.device_model_id)
        -- What is valid longest; no end is the longest of all.
        order by
            least(given.valid_until, given.trained_on + wanted.valid_days) desc nulls first,
            given.trained_on desc
        limit 1
    ) as best on true;
end;
comment on function reporting.f_v_training_compliance(timestamptz) is
    'v_training_compliance as of a time.';
grant execute on function reporting.f_v_training_compliance(timestamptz)
    to biotrakr_analyst, biotrakr_app;

create view reporting.v_training_compliance with (security_invoker = true) as
select * from reporting.f_v_training_compliance(now());

comment on view reporting.v_training_compliance is
    'One row an active user and device type (or model) that needs or has training.';
comment on column reporting.v_training_compliance.required is
    'Asked of the user''s job, or of whoever has run such a device.';
comment on column reporting.v_training_compliance.valid_until is
    'The earlier of the training''s own end and what the requirement allows; NULL: no end.';
comment on column reporting.v_training_compliance.status is
    'MISSING, EXPIRED, EXPIRING (within 30 days) or VALID; a failed training is none.';
comment on column reporting.v_training_compliance.device_model is
    'NULL: the whole type.';
grant select on reporting.v_training_compliance to biotrakr_analyst, biotrakr_app;
