-- view: finance.monthly_revenue
-- reads: shop.order_totals
-- columns: month date
--          revenue numeric
--          margin numeric

CREATE MATERIALIZED VIEW finance.monthly_revenue AS
SELECT
  (
    date_trunc(
      'month'::text,
      (ordered_on)::timestamp with time zone
    )
  )::date AS month,
  sum(total) AS revenue,
  sum((total - cost)) AS margin
FROM
  shop.order_totals t
WHERE
  (state = 'paid'::text)
GROUP BY
  (
    (
      date_trunc(
        'month'::text,
        (ordered_on)::timestamp with time zone
      )
    )::date
  )
WITH DATA
;

ALTER MATERIALIZED VIEW finance.monthly_revenue OWNER TO finance_owner;
CREATE UNIQUE INDEX monthly_revenue_month ON finance.monthly_revenue USING btree (month);
GRANT SELECT ON finance.monthly_revenue TO reporting;
COMMENT ON MATERIALIZED VIEW finance.monthly_revenue IS 'Refreshed every night';
