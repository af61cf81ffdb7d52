-- schema: finance

CREATE SCHEMA finance
;

ALTER SCHEMA finance OWNER TO finance_owner;
GRANT USAGE ON SCHEMA finance TO reporting;
