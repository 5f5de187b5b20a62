-- Statement trigger of what is append-only: whoever asks, the owner and the superuser too.
create or replace function audit.refuse() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
    raise exception '% of %.% is refused: rows are only added', tg_op, tg_table_schema, tg_table_name
        using errcode = 'insufficient_privilege';
end
$$;
comment on function audit.refuse() is 'Statement trigger of what is append-only.';
