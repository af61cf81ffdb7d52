-- A small shop: four tables, and views on three levels.
CREATE ROLE shop_owner;
CREATE ROLE finance_owner;
CREATE ROLE reporting;

CREATE SCHEMA shop AUTHORIZATION shop_owner;
CREATE SCHEMA finance AUTHORIZATION finance_owner;
GRANT USAGE ON SCHEMA shop, finance TO finance_owner, reporting;

CREATE TABLE shop.customers (id integer PRIMARY KEY, name text NOT NULL, country char(2) NOT NULL, email text);
CREATE TABLE shop.products (id integer PRIMARY KEY, title text NOT NULL, price numeric(10,2) NOT NULL, cost numeric(10,2) NOT NULL);
CREATE TABLE shop.orders (id integer PRIMARY KEY, customer_id integer NOT NULL REFERENCES shop.customers, ordered_on date NOT NULL, state text NOT NULL);
CREATE TABLE shop.order_items (order_id integer NOT NULL REFERENCES shop.orders, product_id integer NOT NULL REFERENCES shop.products, quantity integer NOT NULL, PRIMARY KEY (order_id, product_id));

INSERT INTO shop.customers VALUES (1, 'Ada', 'GB', 'ada@example.com'), (2, 'Grace', 'US', 'grace@example.com'), (3, 'Linus', 'FI', NULL);
INSERT INTO shop.products VALUES (1, 'Keyboard', 80, 41.5), (2, 'Mouse', 35, 12.25), (3, 'Monitor', 240, 168);
INSERT INTO shop.orders VALUES (1, 1, '2025-01-14', 'paid'), (2, 2, '2025-01-29', 'paid'), (3, 1, '2025-02-03', 'returned'), (4, 3, '2025-02-17', 'paid');
INSERT INTO shop.order_items VALUES (1, 1, 1), (1, 2, 2), (2, 3, 1), (3, 3, 1), (4, 2, 1);
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO shop_owner, finance_owner;

CREATE VIEW shop.order_totals AS
SELECT o.id AS order_id, o.customer_id, o.ordered_on, o.state, sum(i.quantity * p.price) AS total, sum(i.quantity * p.cost) AS cost
FROM shop.orders o JOIN shop.order_items i ON i.order_id = o.id JOIN shop.products p ON p.id = i.product_id
GROUP BY o.id, o.customer_id, o.ordered_on, o.state;
ALTER VIEW shop.order_totals OWNER TO shop_owner;
GRANT SELECT ON shop.order_totals TO finance_owner, reporting;
COMMENT ON VIEW shop.order_totals IS 'One row per order, with what it brought in and what it cost';

CREATE VIEW shop.customer_value WITH (security_barrier = true) AS
SELECT c.id AS customer_id, c.name, c.country, count(t.order_id) AS orders, coalesce(sum(t.total), 0) AS value
FROM shop.customers c LEFT JOIN shop.order_totals t ON t.customer_id = c.id
GROUP BY c.id, c.name, c.country;
ALTER VIEW shop.customer_value OWNER TO shop_owner;
GRANT SELECT (customer_id, country, value) ON shop.customer_value TO reporting;
COMMENT ON COLUMN shop.customer_value.value IS 'Sum of all orders';

CREATE MATERIALIZED VIEW finance.monthly_revenue AS
SELECT date_trunc('month', t.ordered_on)::date AS month, sum(t.total) AS revenue, sum(t.total - t.cost) AS margin
FROM shop.order_totals t WHERE t.state = 'paid' GROUP BY 1;
CREATE UNIQUE INDEX monthly_revenue_month ON finance.monthly_revenue (month);
ALTER MATERIALIZED VIEW finance.monthly_revenue OWNER TO finance_owner;
GRANT SELECT ON finance.monthly_revenue TO reporting;
COMMENT ON MATERIALIZED VIEW finance.monthly_revenue IS 'Refreshed every night';

CREATE VIEW finance.year_to_date AS
SELECT r.month, r.revenue, sum(r.revenue) OVER (PARTITION BY date_part('year', r.month) ORDER BY r.month) AS so_far
FROM finance.monthly_revenue r;
ALTER VIEW finance.year_to_date OWNER TO finance_owner;
GRANT SELECT ON finance.year_to_date TO reporting;
