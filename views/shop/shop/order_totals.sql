-- view: shop.order_totals
-- reads: shop.order_items
--        shop.orders
--        shop.products
-- columns: order_id integer
--          customer_id integer
--          ordered_on date
--          state text
--          total numeric
--          cost numeric

CREATE OR REPLACE VIEW shop.order_totals AS
SELECT
  o.id AS order_id,
  o.customer_id,
  o.ordered_on,
  o.state,
  sum(((i.quantity)::numeric * p.price)) AS total,
  sum(((i.quantity)::numeric * p.cost)) AS cost
FROM
  (
    (
      shop.orders o
      JOIN shop.order_items i ON ((i.order_id = o.id))
    )
    JOIN shop.products p ON ((p.id = i.product_id))
  )
GROUP BY
  o.id,
  o.customer_id,
  o.ordered_on,
  o.state
;

ALTER VIEW shop.order_totals OWNER TO shop_owner;
GRANT SELECT ON shop.order_totals TO finance_owner;
GRANT SELECT ON shop.order_totals TO reporting;
COMMENT ON VIEW shop.order_totals IS 'One row per order, with what it brought in and what it cost';
