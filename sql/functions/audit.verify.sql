-- Is the chain of an organization as it was written? One row a problem; none: it is whole.
--
-- A link proves the row before it, so one pass finds a changed, removed or inserted row. The end of
-- a chain proves nothing by itself: whoever may write the table may cut it off or write it anew. Two
-- things stand against that: the heads that reviews wrote down, and the versions of the rows
-- themselves (audit.unrecorded).
create or replace function audit.verify(organization uuid, since bigint default 1)
returns table (sequence bigint, problem text)
language sql stable
set search_path = pg_catalog
set timezone = 'UTC'
as $$
    with link as (
        select
            entry.sequence,
            entry.hash,
            to_jsonb(entry) - 'hash' as said,
            lag(entry.sequence, 1, greatest(since - 2, 0)) over chain as previous_sequence,
            lag(entry.hash) over chain as previous_hash
        from audit.log as entry
        where entry.organization_id = organization and entry.sequence >= since - 1
        window chain as (order by entry.sequence)
    )
    select link.sequence, case
        when link.sequence <> link.previous_sequence + 1 then format(
            'rows %s to %s are missing', link.previous_sequence + 1, link.sequence - 1
        )
        else 'this row, or the hash of the one before it, is not as it was written'
    end
    from link
    where link.sequence >= since and (
        link.sequence <> link.previous_sequence + 1
        or link.hash <> audit.digest(link.previous_hash, link.said)
    )
    union all
    select review.head_sequence, format(
        'the review of %s saw another row here, or saw one where none is',
        to_char(review.reviewed_at, 'YYYY-MM-DD')
    )
    from audit.review
    left join link on link.sequence = review.head_sequence
    where review.organization_id = organization
        and review.head_sequence >= since
        and link.hash is distinct from review.head_hash
    order by 1, 2
$$;
comment on function audit.verify(uuid, bigint) is
    'What is wrong with the audit trail of an organization from a row on; no row: nothing.';
grant execute on function audit.verify(uuid, bigint), audit.digest(bytea, jsonb)
    to biotrakr_app, biotrakr_backup;
