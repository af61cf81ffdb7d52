function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}

/**
 * Keywords that are no names without quotes on any supported version: "reserved" in `pg_get_keywords()`.
 * https://www.postgresql.org/docs/current/sql-keywords-appendix.html
 */
export const reservedWords = words(`
  all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation column
  concurrently constraint create cross current_catalog current_date current_role current_schema current_time current_timestamp
  current_user default deferrable desc distinct do else end except false fetch for foreign freeze from full grant group having
  ilike in initially inner intersect into is isnull join lateral leading left like limit localtime localtimestamp natural not
  notnull null offset on only or order outer overlaps placing primary references returning right select session_user similar some
  symmetric table tablesample then to trailing true union unique user using variadic verbose when where window with
`);

/** Keywords that the server's `quote_ident` quotes: the reserved ones and those that may only name columns, of versions 13 to 18 together. */
export const quotedWords: ReadonlySet<string> = new Set([
  ...reservedWords,
  ...words(`
  between bigint bit boolean char character coalesce dec decimal exists extract float greatest grouping inout int integer interval
  json json_array json_arrayagg json_exists json_object json_objectagg json_query json_scalar json_serialize json_table json_value
  least merge_action national nchar none normalize nullif numeric out overlay position precision real row setof smallint substring
  system_user time timestamp treat trim values varchar xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces
  xmlparse xmlpi xmlroot xmlserialize xmltable
  `),
]);
