-- name: C10 certificate_expiry
-- title: Which certificates and licences expire soon, or already have?
-- audience: Q
-- param: days int = 90
-- param: as_of timestamptz = now
-- columns: kind, number, issuer, holder_kind, holder, issued_on, expires_on, days_left,
--          document_url
-- notes: One row a certificate that expires within days or has expired, the oldest first. One that
--        was renewed (the same kind for the same holder, with a later end or none) is left out.
with held as (
    select
        certificate.*,
        case
            when certificate.asset_id is not null then 'asset'
            when certificate.device_model_id is not null then 'model'
            when certificate.vendor_id is not null then 'vendor'
            when certificate.user_id is not null then 'person'
            else 'facility'
        end as holder_kind,
        coalesce(
            register.asset_tag || ' ' || register.name,
            maker.name || ' ' || model.model_number,
            vendor.name, person.display_name, facility.name
        ) as holder,
        coalesce(
            certificate.asset_id, certificate.device_model_id, certificate.vendor_id,
            certificate.user_id, certificate.facility_id
        ) as holder_id
    from compliance.certificate
    left join reporting.v_asset_register as register
        on register.asset_id = certificate.asset_id
    left join registry.device_model as model on model.id = certificate.device_model_id
    left join registry.manufacturer as maker on maker.id = model.manufacturer_id
    left join registry.vendor on vendor.id = certificate.vendor_id
    left join registry.user_account as person on person.id = certificate.user_id
    left join registry.facility on facility.id = certificate.facility_id
    where certificate.deleted_at is null
        and (certificate.asset_id is null or register.status not in (
            'CONDEMNED', 'RETIRED', 'DISPOSED'
        ))
)
select
    held.kind,
    held.number,
    held.issuer,
    held.holder_kind,
    held.holder,
    held.issued_on,
    held.expires_on,
    held.expires_on - (%(as_of)s::timestamptz at time zone 'UTC')::date as days_left,
    held.document_url
from held
where held.expires_on <= (%(as_of)s::timestamptz at time zone 'UTC')::date + %(days)s::int
    and not exists (
        select from held as newer
        where newer.kind = held.kind
            and newer.holder_id = held.holder_id
            and newer.issued_on <= (%(as_of)s::timestamptz at time zone 'UTC')::date
            and (newer.expires_on is null or newer.expires_on > held.expires_on)
    )
order by held.expires_on, held.kind, held.number
