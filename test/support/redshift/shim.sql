-- What a PostgreSQL server lacks to answer as Redshift does. Statements that PostgreSQL does not know are turned into calls of these by statements.ts.
CREATE SCHEMA redshift;
GRANT USAGE ON SCHEMA redshift TO PUBLIC;

-- Late-binding and materialized views keep their text. https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_VIEW.html
CREATE TABLE redshift.late_binding (view oid PRIMARY KEY, statement text, query text);
CREATE TABLE redshift.materialized (view oid PRIMARY KEY, statement text, refreshes boolean);
-- Groups and roles are no users. https://docs.aws.amazon.com/redshift/latest/dg/r_Users-groups.html
-- As comments on PostgreSQL's roles, which every database of the server sees.
CREATE VIEW redshift.identities AS
SELECT rolname::text AS name, shobj_description(oid, 'pg_authid') AS kind FROM pg_roles WHERE shobj_description(oid, 'pg_authid') IN ('group', 'role');
CREATE TABLE redshift.role_grants (view oid, role text, privilege text, PRIMARY KEY (view, role, privilege));
-- https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_RLS_POLICY.html
CREATE TABLE redshift.policies (sort text, policy text, PRIMARY KEY (sort, policy));
CREATE TABLE redshift.attached (sort text, view oid, policy text, grantee text, kind text, priority int, inputs text, outputs text);
CREATE TABLE redshift.row_security (view oid PRIMARY KEY, conjunction text, shared boolean);
CREATE TABLE redshift.sys_query_history (user_id int, query_text text, query_type text, status text, start_time timestamp);
GRANT ALL ON ALL TABLES IN SCHEMA redshift TO PUBLIC;

-- One for all databases of a cluster. https://docs.aws.amazon.com/redshift/latest/dg/r_CURRENT_NAMESPACE.html
CREATE FUNCTION redshift.namespace() RETURNS text LANGUAGE sql STABLE AS $$SELECT 'namespace'$$;

CREATE FUNCTION redshift.viewdef(view oid, pretty boolean) RETURNS text LANGUAGE sql STABLE AS $$
SELECT coalesce((SELECT statement FROM redshift.late_binding l WHERE l.view = viewdef.view),
                (SELECT statement FROM redshift.materialized m WHERE m.view = viewdef.view),
                pg_catalog.pg_get_viewdef(viewdef.view, pretty))$$;

-- Groups have their word before the name; roles are not in the list.
CREATE FUNCTION redshift.acl(view oid) RETURNS text LANGUAGE sql STABLE AS $$
SELECT string_agg(CASE WHEN i.kind = 'group' THEN 'group ' ELSE '' END || entry.item, chr(10) ORDER BY entry.position)
FROM pg_catalog.pg_class c, LATERAL unnest(c.relacl::text[]) WITH ORDINALITY entry(item, position)
     LEFT JOIN redshift.identities i ON trim('"' FROM split_part(entry.item, '=', 1)) = i.name
WHERE c.oid = acl.view$$;

CREATE FUNCTION redshift.oid_of(schema text, name text) RETURNS oid LANGUAGE sql STABLE AS $$
SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = oid_of.schema AND c.relname = oid_of.name$$;

-- The schema has to exist, what the query reads does not. https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_VIEW.html
CREATE FUNCTION redshift.make_late(schema text, name text, statement text, query text, form text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  existing oid := redshift.oid_of(schema, name);
BEGIN
  IF existing IS NOT NULL AND form = 'create' THEN
    RAISE EXCEPTION USING ERRCODE = '42P07', MESSAGE = format('Relation "%s" already exists', name);
  END IF;
  IF existing IS NOT NULL AND NOT EXISTS (SELECT FROM redshift.late_binding WHERE view = existing) THEN
    RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = 'the simulation does not know whether a bound view can become a late-binding one';
  END IF;
  IF existing IS NULL THEN
    EXECUTE format('CREATE VIEW %I.%I AS SELECT NULL::text AS late_binding', schema, name);
  ELSE
    EXECUTE format('CREATE OR REPLACE VIEW %I.%I AS SELECT NULL::text AS late_binding', schema, name);
  END IF;
  INSERT INTO redshift.late_binding VALUES (redshift.oid_of(schema, name), make_late.statement, make_late.query)
  ON CONFLICT (view) DO UPDATE SET statement = excluded.statement, query = excluded.query;
END$$;

-- There is no OR REPLACE. https://docs.aws.amazon.com/redshift/latest/dg/materialized-view-create-sql-command.html
CREATE FUNCTION redshift.make_materialized(schema text, name text, statement text, query text, refreshes boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE VIEW %I.%I AS %s', schema, name, query);
  INSERT INTO redshift.materialized VALUES (redshift.oid_of(schema, name), make_materialized.statement, make_materialized.refreshes);
END$$;

-- Names, types and number of the columns must stay. https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_VIEW.html
CREATE FUNCTION redshift.make_bound(schema text, name text, statement text, query text, form text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  existing oid := redshift.oid_of(schema, name);
  before text[];
  after text[];
BEGIN
  IF existing IS NOT NULL AND form = 'replace' THEN
    IF EXISTS (SELECT FROM redshift.late_binding WHERE view = existing) OR EXISTS (SELECT FROM redshift.materialized WHERE view = existing) THEN
      RAISE EXCEPTION USING ERRCODE = '42809', MESSAGE = format('"%s" is not a view that can be replaced', name);
    END IF;
    EXECUTE 'CREATE TEMP VIEW redshift_probe AS ' || query;
    SELECT array_agg(attname || ' ' || format_type(atttypid, atttypmod) ORDER BY attnum) INTO before FROM pg_catalog.pg_attribute WHERE attrelid = existing AND attnum > 0;
    SELECT array_agg(attname || ' ' || format_type(atttypid, atttypmod) ORDER BY attnum) INTO after FROM pg_catalog.pg_attribute WHERE attrelid = 'pg_temp.redshift_probe'::regclass AND attnum > 0;
    DROP VIEW pg_temp.redshift_probe;
    IF before IS DISTINCT FROM after THEN
      RAISE EXCEPTION USING ERRCODE = '42P16', MESSAGE = 'cannot change number, names or data types of columns in view';
    END IF;
  END IF;
  EXECUTE format(CASE form WHEN 'replace' THEN 'CREATE OR REPLACE VIEW %I.%I AS %s' ELSE 'CREATE VIEW %I.%I AS %s' END, schema, name, query);
END$$;

CREATE FUNCTION redshift.drop_view(schema text, name text, kind text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF (kind = 'materialized') <> EXISTS (SELECT FROM redshift.materialized WHERE view = redshift.oid_of(drop_view.schema, drop_view.name)) THEN
    RAISE EXCEPTION USING ERRCODE = '42809', MESSAGE = format('"%s" is not a %s', name, CASE kind WHEN 'materialized' THEN 'materialized view' ELSE 'view' END);
  END IF;
  DELETE FROM redshift.attached WHERE view = redshift.oid_of(drop_view.schema, drop_view.name);
  DELETE FROM redshift.row_security WHERE view = redshift.oid_of(drop_view.schema, drop_view.name);
  EXECUTE format('DROP VIEW %I.%I', schema, name);
END$$;

-- Every late-binding view that can be read now, as a temporary view of its name; why the others cannot.
CREATE FUNCTION redshift.build_late() RETURNS TABLE (view oid, failure text) LANGUAGE plpgsql AS $$
DECLARE
  each record;
  other record;
  text_now text;
  built oid[] := '{}';
  before int := -1;
  failures jsonb := '{}';
BEGIN
  WHILE cardinality(built) > before LOOP
    before := cardinality(built);
    FOR each IN SELECT l.view, c.relname, l.query FROM redshift.late_binding l JOIN pg_catalog.pg_class c ON c.oid = l.view WHERE NOT l.view = ANY (built) LOOP
      text_now := each.query;
      FOR other IN SELECT n.nspname, c.relname, c.oid FROM redshift.late_binding l JOIN pg_catalog.pg_class c ON c.oid = l.view JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LOOP
        text_now := regexp_replace(text_now, '"?' || other.nspname || '"?\."?' || other.relname || '"?(?!\w)', 'pg_temp.' || quote_ident(other.relname), 'g');
      END LOOP;
      BEGIN
        EXECUTE format('CREATE TEMP VIEW %I AS %s', each.relname, text_now);
        built := built || each.view;
      EXCEPTION WHEN OTHERS THEN
        failures := failures || jsonb_build_object(each.view::text, SQLERRM);
      END;
    END LOOP;
  END LOOP;
  RETURN QUERY SELECT l.view, CASE WHEN l.view = ANY (built) THEN NULL ELSE failures ->> l.view::text END FROM redshift.late_binding l;
END$$;

CREATE FUNCTION redshift.drop_late() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  names text;
BEGIN
  SELECT string_agg(format('pg_temp.%I', c.relname), ', ') INTO names FROM pg_catalog.pg_class c WHERE c.relnamespace = pg_my_temp_schema() AND c.relkind = 'v';
  IF names IS NOT NULL THEN EXECUTE 'DROP VIEW ' || names; END IF;
END$$;

-- https://docs.aws.amazon.com/redshift/latest/dg/PG_GET_LATE_BINDING_VIEW_COLS.html
CREATE FUNCTION redshift.late_columns() RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE
  readable oid[];
BEGIN
  SELECT array_agg(built.view) INTO readable FROM redshift.build_late() built WHERE built.failure IS NULL;
  RETURN QUERY SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod)::varchar, a.attnum::int
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_catalog.pg_class t ON t.relnamespace = pg_my_temp_schema() AND t.relname = c.relname
         JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0
    WHERE c.oid = ANY (readable);
  PERFORM redshift.drop_late();
END$$;

CREATE FUNCTION redshift.probe(schema text, name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  why text;
BEGIN
  -- https://docs.aws.amazon.com/redshift/latest/dg/r_GRANT.html: a view is queried by those who may select from it
  IF NOT has_table_privilege(redshift.oid_of(probe.schema, probe.name), 'SELECT') THEN
    RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = format('permission denied for relation %s', name);
  END IF;
  IF NOT EXISTS (SELECT FROM redshift.late_binding WHERE view = redshift.oid_of(probe.schema, probe.name)) THEN
    EXECUTE format('SELECT * FROM %I.%I LIMIT 0', schema, name);
    RETURN;
  END IF;
  SELECT built.failure INTO why FROM redshift.build_late() built WHERE built.view = redshift.oid_of(probe.schema, probe.name);
  PERFORM redshift.drop_late();
  IF why IS NOT NULL THEN RAISE EXCEPTION USING ERRCODE = '42P01', MESSAGE = why; END IF;
END$$;

CREATE FUNCTION redshift.sees_all() RETURNS boolean LANGUAGE sql STABLE AS
$$SELECT rolsuper OR pg_has_role(current_user, 'pg_monitor', 'MEMBER') FROM pg_catalog.pg_roles WHERE rolname = current_user$$;

-- https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_USER_GRANTS.html, r_SVV_ROLE_GRANTS.html, r_SVV_SYSTEM_PRIVILEGES.html: a plain user sees its own
CREATE VIEW redshift.svv_user_grants AS
SELECT current_user::text AS user_name, 'viewsync_reader'::text AS role_name WHERE pg_has_role(current_user, 'pg_monitor', 'USAGE')
UNION ALL SELECT current_user::text, 'guardian' WHERE pg_has_role(current_user, 'pg_read_all_settings', 'USAGE');
CREATE VIEW redshift.svv_role_grants AS
SELECT 'guardian'::text AS role_name, 'sys:secadmin'::text AS granted_role_name WHERE pg_has_role(current_user, 'pg_read_all_settings', 'USAGE');
CREATE VIEW redshift.svv_system_privileges AS
SELECT 'ACCESS SYSTEM TABLE'::text AS system_privilege, 'viewsync_reader'::text AS identity_name, 'role'::text AS identity_type
WHERE pg_has_role(current_user, 'pg_monitor', 'USAGE');

-- https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_RELATION_PRIVILEGES.html: superusers, or ACCESS SYSTEM TABLE, see all rows
CREATE VIEW redshift.svv_relation_privileges AS
SELECT n.nspname::varchar AS namespace_name, c.relname::varchar AS relation_name, e.privilege_type, coalesce(r.rolname, '')::varchar AS identity_name,
       CASE WHEN e.grantee = 0 THEN 'public' ELSE coalesce(i.kind, 'user') END AS identity_type, e.is_grantable AS admin_option
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, LATERAL aclexplode(c.relacl) e
     LEFT JOIN pg_roles r ON r.oid = e.grantee LEFT JOIN redshift.identities i ON i.name = r.rolname
WHERE c.relacl IS NOT NULL AND ((SELECT redshift.sees_all()) OR r.rolname = current_user OR pg_get_userbyid(c.relowner) = current_user)
UNION ALL
SELECT n.nspname::varchar, c.relname::varchar, g.privilege, g.role::varchar, 'role', false
FROM redshift.role_grants g JOIN pg_class c ON c.oid = g.view JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE (SELECT redshift.sees_all()) OR pg_get_userbyid(c.relowner) = current_user;

-- https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_COLUMN_PRIVILEGES.html
CREATE VIEW redshift.svv_column_privileges AS
SELECT n.nspname::varchar AS namespace_name, c.relname::varchar AS relation_name, a.attname::varchar AS column_name, e.privilege_type,
       coalesce(r.rolname, '')::varchar AS identity_name, CASE WHEN e.grantee = 0 THEN 'public' ELSE coalesce(i.kind, 'user') END AS identity_type
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace, LATERAL aclexplode(a.attacl) e
     LEFT JOIN pg_roles r ON r.oid = e.grantee LEFT JOIN redshift.identities i ON i.name = r.rolname
WHERE (SELECT redshift.sees_all()) OR r.rolname = current_user;

CREATE VIEW redshift.svv_roles AS SELECT name AS role_name FROM redshift.identities WHERE kind = 'role';
CREATE VIEW redshift.pg_group AS SELECT name AS groname FROM redshift.identities WHERE kind = 'group';

-- https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_MV_INFO.html: regular users see only their own
CREATE VIEW redshift.svv_mv_info AS
SELECT n.nspname::varchar AS schema_name, c.relname::varchar AS name, m.refreshes AS autorefresh
FROM redshift.materialized m JOIN pg_class c ON c.oid = m.view JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE (SELECT redshift.sees_all()) OR pg_get_userbyid(c.relowner) = current_user;

-- https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_TABLE_INFO.html
CREATE VIEW redshift.svv_table_info AS
SELECT n.nspname::text AS "schema", 'mv_tbl__' || c.relname || '__0' AS "table", 7 AS size
FROM redshift.materialized m JOIN pg_class c ON c.oid = m.view JOIN pg_namespace n ON n.oid = c.relnamespace;

CREATE FUNCTION redshift.is_secadmin() RETURNS boolean LANGUAGE sql STABLE AS
$$SELECT rolsuper OR pg_has_role(current_user, 'pg_read_all_settings', 'MEMBER') FROM pg_catalog.pg_roles WHERE rolname = current_user$$;

CREATE FUNCTION redshift.require_secadmin() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF NOT redshift.is_secadmin() THEN
    RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'permission denied for relation svv_rls_attached_policy';
  END IF;
  RETURN true;
END$$;

CREATE FUNCTION redshift.attach(sort text, schema text, name text, policy text, kind text, grantee text, priority int, inputs text, outputs text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  found oid := redshift.oid_of(attach.schema, attach.name);
BEGIN
  PERFORM redshift.require_secadmin();
  IF NOT EXISTS (SELECT FROM redshift.policies p WHERE p.sort = attach.sort AND p.policy = attach.policy) THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('%s policy "%s" does not exist', attach.sort, attach.policy);
  END IF;
  IF EXISTS (SELECT FROM redshift.attached a WHERE a.view = found AND a.sort = attach.sort AND a.policy = attach.policy AND a.grantee = attach.grantee AND a.outputs = attach.outputs) THEN
    RAISE EXCEPTION USING ERRCODE = '42710', MESSAGE = format('policy "%s" is attached already', attach.policy);
  END IF;
  INSERT INTO redshift.attached VALUES (attach.sort, found, attach.policy, attach.grantee, attach.kind, attach.priority, attach.inputs, attach.outputs);
END$$;

-- https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_RLS_ATTACHED_POLICY.html: only for users with the role sys:secadmin
CREATE VIEW redshift.svv_rls_attached_policy AS
SELECT n.nspname::varchar AS relschema, c.relname::varchar AS relname, a.policy AS polname, a.grantee, a.kind AS granteekind
FROM redshift.attached a JOIN pg_class c ON c.oid = a.view JOIN pg_namespace n ON n.oid = c.relnamespace WHERE a.sort = 'RLS'
UNION ALL SELECT NULL, NULL, NULL, NULL, NULL WHERE NOT redshift.require_secadmin();
-- https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_RLS_POLICY.html
CREATE VIEW redshift.svv_rls_policy AS
SELECT current_database()::text AS poldb, policy AS polname, '[{"colname":"id","type":"integer"}]' AS polatts FROM redshift.policies WHERE sort = 'RLS';
-- https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_MASKING_POLICY.html
CREATE VIEW redshift.svv_masking_policy AS
SELECT current_database()::text AS policy_database, policy AS policy_name, '[{"colname":"price","type":"numeric(12,2)"},{"colname":"id","type":"integer"}]' AS input_columns,
       '[{"expr":"NULL::numeric(12,2)","type":"numeric(12,2)"}]' AS policy_expression
FROM redshift.policies WHERE sort = 'MASKING' AND (SELECT redshift.is_secadmin());
-- https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_RLS_RELATION.html
CREATE VIEW redshift.svv_rls_relation AS
SELECT current_database()::text AS datname, n.nspname::varchar AS relschema, c.relname::varchar AS relname, true AS is_rls_on, r.shared AS is_rls_datashare_on,
       r.conjunction::character(3) AS rls_conjunction_type
FROM redshift.row_security r JOIN pg_class c ON c.oid = r.view JOIN pg_namespace n ON n.oid = c.relnamespace;
-- https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_ATTACHED_MASKING_POLICY.html: others see no rows
CREATE VIEW redshift.svv_attached_masking_policy AS
SELECT n.nspname::varchar AS schema_name, c.relname::varchar AS table_name, a.policy AS policy_name, a.grantee, a.kind AS grantee_type, a.priority,
       a.inputs AS input_columns, a.outputs AS output_columns
FROM redshift.attached a JOIN pg_class c ON c.oid = a.view JOIN pg_namespace n ON n.oid = c.relnamespace WHERE a.sort = 'MASKING' AND (SELECT redshift.is_secadmin());

-- https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_DEFAULT_PRIVILEGES.html: others see what is granted to them
CREATE VIEW redshift.svv_default_privileges AS
SELECT n.nspname::varchar AS schema_name, 'RELATION' AS object_type, pg_get_userbyid(d.defaclrole)::varchar AS owner_name,
       coalesce(r.rolname, '')::varchar AS grantee_name, CASE WHEN e.grantee = 0 THEN 'public' ELSE coalesce(i.kind, 'user') END AS grantee_type
FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace, LATERAL aclexplode(d.defaclacl) e
     LEFT JOIN pg_roles r ON r.oid = e.grantee LEFT JOIN redshift.identities i ON i.name = r.rolname
WHERE d.defaclobjtype = 'r' AND e.grantee <> d.defaclrole AND ((SELECT redshift.sees_all()) OR r.rolname = current_user);

CREATE VIEW redshift.svv_user_info AS SELECT usesysid::int AS user_id, usename::text AS user_name FROM pg_user;

-- https://docs.aws.amazon.com/redshift/latest/dg/r_STV_SESSIONS.html
CREATE VIEW redshift.stv_sessions AS SELECT pid AS process, datname::text AS db_name FROM pg_stat_activity WHERE datname IS NOT NULL;

GRANT SELECT ON ALL TABLES IN SCHEMA redshift TO PUBLIC;
