-- Everything that the server knows of the shop's views, read from its catalogs and boiled down to one checksum.
SELECT count(*)::integer AS views, md5(string_agg(concat_ws(E'\n', name, kind, options, owner, rights, definition, columns, comments, indexes), E'\n' ORDER BY name)) AS checksum
FROM (
  SELECT
    c.oid::regclass::text AS name,
    c.relkind::text AS kind,
    c.reloptions::text AS options,
    c.relowner::regrole::text AS owner,
    (SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(c.relacl) a) AS rights,
    pg_get_viewdef(c.oid) AS definition,
    (SELECT string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), (SELECT string_agg(g::text, ',' ORDER BY g::text) FROM unnest(a.attacl) g)), ',' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0) AS columns,
    (SELECT string_agg(concat_ws(' ', d.objsubid, d.description), ',' ORDER BY d.objsubid) FROM pg_description d WHERE d.objoid = c.oid AND d.classoid = 'pg_class'::regclass) AS comments,
    (SELECT string_agg(pg_get_indexdef(i.indexrelid), ',' ORDER BY pg_get_indexdef(i.indexrelid)) FROM pg_index i WHERE i.indrelid = c.oid) AS indexes
  FROM pg_class c
  WHERE c.relkind IN ('v', 'm') AND c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('shop', 'finance'))
) AS all_views;
