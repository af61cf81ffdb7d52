-- schema: shop

CREATE SCHEMA shop
;

ALTER SCHEMA shop OWNER TO shop_owner;
GRANT USAGE ON SCHEMA shop TO finance_owner;
GRANT USAGE ON SCHEMA shop TO reporting;
