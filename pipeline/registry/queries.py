"""The queries behind `read`: live rows of some facilities, grouped by what they belong to."""

from __future__ import annotations

FACILITIES = """
select
    facility.id, facility.code, facility.organization_id, organization.code as organization,
    organization.code || '/' || facility.code as key, coalesce(counted.revision, 0) as revision
from registry.facility
join registry.organization on organization.id = facility.organization_id
left join registry.facility_revision as counted on counted.facility_id = facility.id
where facility.deleted_at is null and organization.deleted_at is null
order by organization.code collate "C", facility.code collate "C"
"""

# Each takes the ids of the facilities; `parent` is the building, or the facility where equipment
# belongs to it. What lies in something deleted is deleted with it.
QUERIES = {
    "building": """
        select id, facility_id as parent, code from registry.building
        where facility_id = any(%s) and deleted_at is null""",
    "floor": """
        select floor.*, floor.building_id as parent from registry.floor
        join registry.building on building.id = floor.building_id
            and building.deleted_at is null and building.facility_id = any(%s)
        where floor.deleted_at is null""",
    "room": """
        select room.*, floor.building_id as parent from registry.room
        join registry.floor on floor.id = room.floor_id and floor.deleted_at is null
        join registry.building on building.id = floor.building_id
            and building.deleted_at is null and building.facility_id = any(%s)
        where room.deleted_at is null""",
    "zone": """
        select zone.*, zone.building_id as parent from registry.zone
        join registry.building on building.id = zone.building_id
            and building.deleted_at is null and building.facility_id = any(%s)
        where zone.deleted_at is null""",
    "rule": """
        select rule.*, zone.building_id as parent from registry.rule
        join registry.zone on zone.id = rule.zone_id and zone.deleted_at is null
        join registry.building on building.id = zone.building_id
            and building.deleted_at is null and building.facility_id = any(%s)
        where rule.deleted_at is null and rule.enabled""",
    "gateway": """
        select gateway.id, gateway.code, gateway.building_id as parent from registry.gateway
        join registry.building on building.id = gateway.building_id
            and building.deleted_at is null and building.facility_id = any(%s)
        where gateway.deleted_at is null and gateway.enabled""",
    "receiver": """
        select
            receiver.*, receiver.name as code, gateway.code as gateway,
            gateway.building_id as parent
        from registry.receiver
        join registry.gateway on gateway.id = receiver.gateway_id
            and gateway.deleted_at is null and gateway.enabled
        join registry.building on building.id = gateway.building_id
            and building.deleted_at is null and building.facility_id = any(%s)
        where receiver.deleted_at is null""",
    "asset": """
        select id, facility_id as parent, tag_number as code, name, category from registry.asset
        where facility_id = any(%s) and deleted_at is null""",
    "tag": """
        select tag.name as code, asset.id as asset_id, asset.facility_id as parent
        from registry.tag_assignment as worn
        join registry.tag on tag.id = worn.tag_id and tag.deleted_at is null
        join registry.asset on asset.id = worn.asset_id and asset.deleted_at is null
        where asset.facility_id = any(%s) and worn.during @> clock_timestamp()""",
}
