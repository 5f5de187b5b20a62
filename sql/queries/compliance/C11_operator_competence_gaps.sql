-- name: C11 operator_competence_gaps
-- title: Who has run or taken out devices without the valid training that these require?
-- audience: Q, N
-- param: from timestamptz = now - 90 days
-- param: to timestamptz = now
-- columns: operator, department, device_type, device_model, status, last_trained, valid_until,
--          uses, devices, last_use
-- notes: One row a person and requirement (device_model NULL: of the whole type) that was not met
--        when it was used. status is that of the training at the last use: MISSING or EXPIRED.
with used as (
    select
        assignment.user_id, assignment.asset_id, lower(assignment.during) as at,
        model.device_type_id, model.id as device_model_id
    from registry.assignment
    join reporting.v_asset_register as register on register.asset_id = assignment.asset_id
    join registry.asset on asset.id = assignment.asset_id
    join registry.device_model as model on model.id = asset.device_model_id
    where assignment.kind in ('OPERATION', 'CHECKOUT')
        and assignment.user_id is not null
        and assignment.deleted_at is null
        and lower(assignment.during) >= %(from)s::timestamptz
        and lower(assignment.during) < %(to)s::timestamptz
),
asked as (
    select used.*, requirement.device_model_id as required_model_id, requirement.valid_days
    from used
    join registry.user_account as person on person.id = used.user_id
    join compliance.training_requirement as requirement
        on requirement.device_type_id = used.device_type_id
        and (requirement.device_model_id is null
            or requirement.device_model_id = used.device_model_id)
        and (requirement.job is null or requirement.job = person.job)
        and requirement.deleted_at is null
),
trained as (
    select
        asked.*,
        training.trained_on,
        least(training.valid_until, training.trained_on + asked.valid_days) as valid_until
    from asked
    left join lateral (
        select training.trained_on, training.valid_until
        from compliance.training
        where training.user_id = asked.user_id
            and training.device_type_id = asked.device_type_id
            and (training.device_model_id is null
                or training.device_model_id = asked.required_model_id)
            and training.result <> 'FAIL'
            and training.trained_on <= (asked.at at time zone 'UTC')::date
            and training.deleted_at is null
        order by
            least(training.valid_until, training.trained_on + asked.valid_days) desc nulls first
        limit 1
    ) as training on true
),
gap as (
    select trained.*
    from trained
    where trained.trained_on is null
        or trained.valid_until < (trained.at at time zone 'UTC')::date
)
select
    person.display_name as operator,
    department.name as department,
    kind.name as device_type,
    model.model_number as device_model,
    (array_agg(
        case when gap.trained_on is null then 'MISSING' else 'EXPIRED' end order by gap.at desc
    ))[1] as status,
    (array_agg(gap.trained_on order by gap.at desc))[1] as last_trained,
    (array_agg(gap.valid_until order by gap.at desc))[1] as valid_until,
    count(*) as uses,
    count(distinct gap.asset_id) as devices,
    max(gap.at) as last_use
from gap
join registry.user_account as person on person.id = gap.user_id
left join registry.department on department.id = person.department_id
join registry.device_type as kind on kind.id = gap.device_type_id
left join registry.device_model as model on model.id = gap.required_model_id
group by gap.user_id, person.display_name, department.name, kind.name, model.model_number
order by uses desc, operator, device_type, device_model nulls first
