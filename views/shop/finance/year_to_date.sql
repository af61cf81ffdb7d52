-- view: finance.year_to_date
-- reads: finance.monthly_revenue
-- columns: month date
--          revenue numeric
--          so_far numeric

CREATE OR REPLACE VIEW finance.year_to_date AS
SELECT
  month,
  revenue,
  sum(revenue) OVER (
    PARTITION BY
      (date_part('year'::text, month))
    ORDER BY
      month
  ) AS so_far
FROM
  finance.monthly_revenue r
;

ALTER VIEW finance.year_to_date OWNER TO finance_owner;
GRANT SELECT ON finance.year_to_date TO reporting;
