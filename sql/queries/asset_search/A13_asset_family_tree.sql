-- name: A13 asset_family_tree
-- title: What is this asset part of, and which parts and accessories belong to it?
-- audience: B
-- param: tag text
-- columns: depth, relation, asset_id, asset_tag, name, status, mandatory, path
-- notes: One row an asset of the family, from the top: depth 0 is the topmost parent. relation is
--        to the one above it in path; mandatory: it must not be used without. What it replaces is
--        no family.
with recursive edge as (
    -- The same may be said from either end: "its parent is" and "its child (or accessory) is".
    select
        above_id, below_id, min(kind) as relation, bool_or(mandatory) as mandatory
    from (
        select other_id as above_id, asset_id as below_id, 'CHILD' as kind, mandatory
        from registry.asset_relation
        where kind = 'PARENT' and deleted_at is null and (until is null or until > now())
        union all
        select asset_id, other_id, kind, mandatory
        from registry.asset_relation
        where kind in ('CHILD', 'ACCESSORY') and deleted_at is null
            and (until is null or until > now())
    ) as said
    group by above_id, below_id
),
up (id, seen) as (
    select asset_id, array[asset_id]
    from reporting.v_asset_register
    where upper(asset_tag) = upper(btrim(%(tag)s::text))
    union all
    select edge.above_id, up.seen || edge.above_id
    from up
    join edge on edge.below_id = up.id
    where edge.above_id <> all (up.seen)
),
top as (
    -- In a circle nobody is on top: then begin where one asked.
    select id
    from up
    where not exists (select from edge where edge.below_id = up.id)
    union
    select seen[1] from up
    where not exists (
        select from up as other
        where not exists (select from edge where edge.below_id = other.id)
    )
),
family as (
    select
        0 as depth, null::text as relation, register.asset_id, false as mandatory,
        array[register.asset_id] as seen, register.asset_tag as path
    from top
    join reporting.v_asset_register as register on register.asset_id = top.id
    union all
    select
        family.depth + 1, edge.relation, register.asset_id, edge.mandatory,
        family.seen || register.asset_id, family.path || ' > ' || register.asset_tag
    from family
    join edge on edge.above_id = family.asset_id
    join reporting.v_asset_register as register on register.asset_id = edge.below_id
    where register.asset_id <> all (family.seen)
)
select
    family.depth,
    family.relation,
    family.asset_id,
    register.asset_tag,
    register.name,
    register.status,
    family.mandatory,
    family.path
from family
join reporting.v_asset_register as register on register.asset_id = family.asset_id
order by family.path
