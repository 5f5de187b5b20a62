"""What an export says of an asset: its fields by name, and what FHIR wants beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from pipeline.exchange.errors import ExchangeError

Record = dict[str, Any]
_FETCHED = 2000

ASSETS = """
select
    asset.tag_number as asset_tag_number,
    asset.name as equipment_name,
    asset.manufacturer,
    asset.model as model_number,
    asset.serial_number,
    asset.category as device_category,
    kind.name as device_subcategory,
    model.risk_class as risk_classification,
    asset.status as asset_status,
    asset.criticality as criticality_level,
    asset.udi_carrier,
    asset.udi_di as udi_device_identifier,
    asset.udi_pi as udi_production_identifier,
    asset.udi_issuer,
    asset.lot_number,
    asset.manufactured_on,
    asset.expires_on,
    vendor.code as vendor,
    asset.purchase_order_number,
    asset.invoice_number,
    asset.purchased_on as purchase_date,
    asset.installed_on as installation_date,
    asset.in_service_on as in_service_date,
    asset.purchase_cost,
    asset.currency_code,
    funding.name as funding_source,
    asset.replacement_cost as estimated_replacement_cost,
    asset.residual_value,
    asset.downtime_cost_per_hour,
    asset.ownership,
    asset.specifications as technical_specifications,
    asset.software_version,
    asset.operating_system,
    asset.mac_address as network_mac_address,
    abbrev(asset.ip_address) as ip_address,
    facility.code as facility,
    department.code as department,
    custodian.username as custodian,
    home_building.code || '/' || home.code as home_room,
    asset.requires_checkout,
    asset.auto_work_orders as auto_generate_work_orders,
    asset.retired_on,
    asset.attachment_path as attachment_storage_path,
    asset.notes,
    asset.version,
    asset.id as asset_id,
    asset.complete,
    asset.udi_check_ok as udi_check,
    facility.name as facility_name,
    department.name as department_name,
    department.cost_center,
    planned.code as pm_schedule_code,
    planned.last_done as last_pm_date,
    planned.next_due as next_pm_due_date,
    warranty.ends_on as warranty_end_date,
    kind.gmdn_code,
    kind.umdns_code,
    -- of no column of a list
    asset.facility_id,
    kind.code as type_code,
    model.name as model_name,
    model.fda_510k_number is not null or model.fda_pma_number is not null as is_fda,
    coalesce(place.room_id, asset.home_room_id) as location_id,
    disposal.method as disposal_method,
    asset.updated_at
from registry.asset
join registry.facility on facility.id = asset.facility_id
left join registry.device_model as model on model.id = asset.device_model_id
left join registry.device_type as kind on kind.id = model.device_type_id
left join registry.vendor on vendor.id = asset.vendor_id
left join registry.funding_source as funding on funding.id = asset.funding_source_id
left join registry.department on department.id = asset.department_id
left join registry.user_account as custodian on custodian.id = asset.custodian_id
left join registry.room as home on home.id = asset.home_room_id
left join registry.floor as home_floor on home_floor.id = home.floor_id
left join registry.building as home_building on home_building.id = home_floor.building_id
left join tracking.asset_location_current as place on place.asset_id = asset.id
left join finance.disposal on disposal.asset_id = asset.id and disposal.deleted_at is null
left join (
    select
        schedule.asset_id,
        min(procedure.code) as code,
        max(occurrence.completed_on) as last_done,
        min(occurrence.due_on) filter (where occurrence.outcome = 'OPEN') as next_due
    from maintenance.schedule
    join maintenance.procedure on procedure.id = schedule.procedure_id
    left join maintenance.occurrence
        on occurrence.schedule_id = schedule.id and occurrence.deleted_at is null
    where schedule.kind = 'PM' and schedule.deleted_at is null
    group by schedule.asset_id
) as planned on planned.asset_id = asset.id
left join (
    select covered.asset_id, max(coalesce(covered.ends_on, contract.ends_on)) as ends_on
    from registry.contract_asset as covered
    join registry.contract on contract.id = covered.contract_id
    where contract.kind = 'WARRANTY'
        and covered.deleted_at is null
        and contract.deleted_at is null
    group by covered.asset_id
) as warranty on warranty.asset_id = asset.id
where asset.deleted_at is null
    and (%(facility)s::text is null or facility.code = %(facility)s)
order by asset.tag_number
"""

PLACES = """
select 'si' as form, id, null::uuid as part_of, code, name, true as active
from registry.facility where deleted_at is null
union all
select 'bu', id, facility_id, code, name, true
from registry.building where deleted_at is null
union all
select 'lvl', id, building_id, code, name, true
from registry.floor where deleted_at is null
union all
select case kind when 'corridor' then 'co' else 'ro' end, id, floor_id, code, name, true
from registry.room where deleted_at is null
"""


def assets(connection: psycopg.Connection[Any], facility: str | None) -> Iterator[Record]:
    """Every living asset that the session may see, by tag number; a few at a time."""
    with connection.cursor("export", row_factory=dict_row) as cursor:
        cursor.itersize = _FETCHED
        cursor.execute(ASSETS, {"facility": facility})
        yield from cursor


def places(connection: psycopg.Connection[Any]) -> Iterator[Record]:
    """Facilities, buildings, floors and rooms, each after what it is part of."""
    with connection.cursor(row_factory=dict_row) as cursor:
        yield from cursor.execute(PLACES)


def begin(
    connection: psycopg.Connection[Any], organization: UUID, user: str | None, reason: str
) -> tuple[str, str]:
    """Say for whom, and write the export down in the audit trail; the organization's code, name."""
    connection.execute("select set_config('app.org_id', %s, true)", (str(organization),))
    connection.execute("select set_config('app.user_id', '', true)")
    if user is not None:
        acting = connection.execute(
            "select id from registry.user_account "
            "where username = %s and active and deleted_at is null",
            (user,),
        ).fetchone()
        if acting is None:
            raise ExchangeError(f"there is no active user {user!r}")
        connection.execute("select set_config('app.user_id', %s, true)", (str(acting[0]),))
    found = connection.execute(
        "select code, name from registry.organization where id = %s and deleted_at is null",
        (organization,),
    ).fetchone()
    if found is None:
        raise ExchangeError("there is no such organization, or not for you")
    connection.execute("select audit.note('EXPORT', 'registry.asset', %s)", (reason,))
    return str(found[0]), str(found[1])
