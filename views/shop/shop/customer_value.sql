-- view: shop.customer_value
-- reads: shop.customers
--        shop.order_totals
-- columns: customer_id integer
--          name text
--          country character(2)
--          orders bigint
--          value numeric
--          last_order date

CREATE OR REPLACE VIEW shop.customer_value
WITH (security_barrier = true) AS
SELECT
  c.id AS customer_id,
  c.name,
  c.country,
  count(t.order_id) AS orders,
  COALESCE(sum(t.total), (0)::numeric) AS value,
  max(t.ordered_on) AS last_order
FROM
  (
    shop.customers c
    LEFT JOIN shop.order_totals t ON (
      (
        (t.customer_id = c.id)
        AND (t.state <> 'returned'::text)
      )
    )
  )
GROUP BY
  c.id,
  c.name,
  c.country
;

ALTER VIEW shop.customer_value OWNER TO shop_owner;
GRANT SELECT (customer_id) ON shop.customer_value TO reporting;
GRANT SELECT (country) ON shop.customer_value TO reporting;
GRANT SELECT (value) ON shop.customer_value TO reporting;
COMMENT ON COLUMN shop.customer_value.value IS 'Sum of all orders';
