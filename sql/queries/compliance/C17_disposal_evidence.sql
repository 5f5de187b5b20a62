-- name: C17 disposal_evidence
-- title: Which disposed devices lack the proof that data were wiped or that they were disposed of?
-- audience: Q, C
-- param: from date = today - 1095 days
-- param: to date = today
-- columns: asset_tag, name, manufacturer, model, serial, disposed_on, method, holds_data, missing,
--          proceeds, currency, approved_by
-- notes: One row an asset that left from .. to without evidence. missing: DISPOSAL_RECORD (its
--        status says so, no disposal is recorded; from .. to cannot apply), DATA_WIPE_CERTIFICATE,
--        DISPOSAL_CERTIFICATE, APPROVAL. A certificate counts from the disposal or from the asset's
--        certificates. What was lost or stolen has no disposal certificate.
select
    register.asset_tag,
    register.name,
    register.manufacturer,
    register.model,
    register.serial,
    disposal.disposed_on,
    disposal.method,
    disposal.holds_data,
    proof.missing,
    disposal.proceeds,
    disposal.currency_code as currency,
    approver.display_name as approved_by
from reporting.v_asset_register as register
left join finance.disposal
    on disposal.asset_id = register.asset_id and disposal.deleted_at is null
left join registry.user_account as approver on approver.id = disposal.approved_by
cross join lateral (
    select array_remove(array[
        case when disposal.id is null then 'DISPOSAL_RECORD' end,
        case
            when disposal.holds_data
                and coalesce(disposal.data_wipe_certificate, '') = ''
                and not exists (
                    select from compliance.certificate
                    where certificate.asset_id = register.asset_id
                        and certificate.kind = 'DATA_WIPE' and certificate.deleted_at is null
                )
            then 'DATA_WIPE_CERTIFICATE'
        end,
        case
            when disposal.method not in ('LOST', 'STOLEN')
                and coalesce(disposal.disposal_certificate, '') = ''
                and not exists (
                    select from compliance.certificate
                    where certificate.asset_id = register.asset_id
                        and certificate.kind = 'DISPOSAL' and certificate.deleted_at is null
                )
            then 'DISPOSAL_CERTIFICATE'
        end,
        case when disposal.id is not null and disposal.approved_by is null then 'APPROVAL' end
    ], null) as missing
) as proof
where cardinality(proof.missing) > 0
    and (
        disposal.disposed_on between %(from)s::date and %(to)s::date
        or (disposal.id is null and register.status = 'DISPOSED')
    )
order by disposal.disposed_on nulls first, register.asset_tag
