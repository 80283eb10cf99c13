-- What mart holds of a tenant: the last published revision of each store-day.
WITH published AS (
  SELECT run_id
  FROM {mart}.publication
  WHERE tenant_id = @tenant
    AND DATE(published_at) BETWEEN @published_from AND @published_to
),

latest AS (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY store_id, business_date ORDER BY revision DESC) AS newest
  FROM {mart}.kpi_store_day
  WHERE tenant_id = @tenant
    AND business_date BETWEEN @date_from AND @date_to
    AND run_id IN (SELECT run_id FROM published)
)

SELECT
  SUM(sale_lines) AS sale_lines,
  SUM(net_sales_amount) AS net_sales_amount,
  SUM(gross_sales_amount) AS gross_sales_amount,
  SUM(units) AS units,
  SUM(transactions) AS transactions,
  SUM(footfall) AS footfall,
  SUM(in_count) AS in_count,
  SUM(out_count) AS out_count
FROM latest
WHERE newest = 1
