const roleList = `(SELECT string_agg(CASE role WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(role)) END, ', ' ORDER BY position)
  FROM unnest(p.polroles) WITH ORDINALITY r(role, position))`;

const command = `CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END`;

const setting = (name: string, value: string, isSet: string) => `CASE WHEN ${isSet} THEN '${name} = ' || ${value} END`;

const modify = (column: string) => `CASE ${column} WHEN 'r' THEN 'READ_ONLY' WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END`;

const usualModify = `CASE a.aggkind WHEN 'n' THEN 'r' ELSE 'w' END`;

/** https://www.postgresql.org/docs/current/sql-createaggregate.html; the server has no function that prints one. */
const aggregateSettings = [
  `'SFUNC = ' || a.aggtransfn::text`,
  `'STYPE = ' || format_type(a.aggtranstype, NULL)`,
  setting('SSPACE', 'a.aggtransspace', 'a.aggtransspace <> 0'),
  setting('FINALFUNC', 'a.aggfinalfn::text', 'a.aggfinalfn <> 0'),
  `CASE WHEN a.aggfinalextra THEN 'FINALFUNC_EXTRA' END`,
  setting('FINALFUNC_MODIFY', modify('a.aggfinalmodify'), `a.aggfinalmodify <> ${usualModify}`),
  setting('COMBINEFUNC', 'a.aggcombinefn::text', 'a.aggcombinefn <> 0'),
  setting('SERIALFUNC', 'a.aggserialfn::text', 'a.aggserialfn <> 0'),
  setting('DESERIALFUNC', 'a.aggdeserialfn::text', 'a.aggdeserialfn <> 0'),
  setting('INITCOND', 'quote_literal(a.agginitval)', 'a.agginitval IS NOT NULL'),
  setting('MSFUNC', 'a.aggmtransfn::text', 'a.aggmtransfn <> 0'),
  setting('MINVFUNC', 'a.aggminvtransfn::text', 'a.aggminvtransfn <> 0'),
  setting('MSTYPE', 'format_type(a.aggmtranstype, NULL)', 'a.aggmtranstype <> 0'),
  setting('MSSPACE', 'a.aggmtransspace', 'a.aggmtransspace <> 0'),
  setting('MFINALFUNC', 'a.aggmfinalfn::text', 'a.aggmfinalfn <> 0'),
  `CASE WHEN a.aggmfinalextra THEN 'MFINALFUNC_EXTRA' END`,
  setting('MFINALFUNC_MODIFY', modify('a.aggmfinalmodify'), `a.aggmtransfn <> 0 AND a.aggmfinalmodify <> ${usualModify}`),
  setting('MINITCOND', 'quote_literal(a.aggminitval)', 'a.aggminitval IS NOT NULL'),
  `(SELECT 'SORTOP = OPERATOR(' || quote_ident(n.nspname) || '.' || o.oprname || ')' FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE o.oid = a.aggsortop)`,
  `CASE WHEN a.aggkind = 'h' THEN 'HYPOTHETICAL' END`,
  setting('PARALLEL', `CASE p.proparallel WHEN 's' THEN 'SAFE' ELSE 'RESTRICTED' END`, `p.proparallel <> 'u'`),
];

const otherOperator = (oid: string) =>
  `(SELECT 'OPERATOR(' || quote_ident(m.nspname) || '.' || q.oprname || ')' FROM pg_operator q JOIN pg_namespace m ON m.oid = q.oprnamespace WHERE q.oid = ${oid})`;

/** https://www.postgresql.org/docs/current/sql-createoperator.html */
const operatorSettings = [
  `'FUNCTION = ' || o.oprcode::text`,
  setting('LEFTARG', 'format_type(o.oprleft, NULL)', 'o.oprleft <> 0'),
  setting('RIGHTARG', 'format_type(o.oprright, NULL)', 'o.oprright <> 0'),
  setting('COMMUTATOR', otherOperator('o.oprcom'), 'o.oprcom <> 0'),
  setting('NEGATOR', otherOperator('o.oprnegate'), 'o.oprnegate <> 0'),
  setting('RESTRICT', 'o.oprrest::text', 'o.oprrest <> 0'),
  setting('JOIN', 'o.oprjoin::text', 'o.oprjoin <> 0'),
  `CASE WHEN o.oprcanhash THEN 'HASHES' END`,
  `CASE WHEN o.oprcanmerge THEN 'MERGES' END`,
];

const listed = (settings: readonly string[]) => `E'(\\n    ' || concat_ws(E',\\n    ', ${settings.join(', ')}) || E'\\n)'`;

/**
 * The statement that makes each bystander, by oid: with the server's own function where it has one, and as pg_dump writes it where not.
 */
export const bystanderTextQueries = {
  routine: "SELECT oid, regexp_replace(pg_get_functiondef(oid), '^CREATE OR REPLACE ', 'CREATE ') AS text FROM unnest($1::oid[]) AS oid",
  aggregate: `
    SELECT p.oid, format('CREATE AGGREGATE %I.%I(%s) ', n.nspname, p.proname, CASE WHEN p.pronargs = 0 THEN '*' ELSE pg_get_function_arguments(p.oid) END)
      || ${listed(aggregateSettings)} AS text
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_aggregate a ON a.aggfnoid = p.oid WHERE p.oid = ANY ($1::oid[])`,
  operator: `
    SELECT o.oid, format('CREATE OPERATOR %I.%s ', n.nspname, o.oprname) || ${listed(operatorSettings)} AS text
    FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE o.oid = ANY ($1::oid[])`,
  cast: `
    SELECT c.oid, format('CREATE CAST (%s AS %s) ', format_type(c.castsource, NULL), format_type(c.casttarget, NULL))
      || CASE c.castmethod WHEN 'i' THEN 'WITH INOUT' WHEN 'b' THEN 'WITHOUT FUNCTION' ELSE 'WITH FUNCTION ' || c.castfunc::regprocedure END
      || CASE c.castcontext WHEN 'a' THEN ' AS ASSIGNMENT' WHEN 'i' THEN ' AS IMPLICIT' ELSE '' END AS text
    FROM pg_cast c WHERE c.oid = ANY ($1::oid[])`,
  policy: `
    SELECT p.oid, format('CREATE POLICY %I ON %s AS %s FOR %s TO %s', p.polname, p.polrelid::regclass, CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END, ${command}, ${roleList})
      || coalesce(E'\\n  USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', '') || coalesce(E'\\n  WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '') AS text
    FROM pg_policy p WHERE p.oid = ANY ($1::oid[])`,
  check: `
    SELECT c.oid, format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid)) AS text
    FROM pg_constraint c WHERE c.oid = ANY ($1::oid[])`,
  tableDefault: `
    SELECT d.oid, format('ALTER TABLE ONLY %s ALTER COLUMN %I SET DEFAULT %s', d.adrelid::regclass, a.attname, pg_get_expr(d.adbin, d.adrelid)) AS text
    FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.oid = ANY ($1::oid[])`,
} as const;
