-- What mart holds of a tenant: the last published revision of each store-day.
WITH published AS (
  SELECT DISTINCT run_id
  FROM {mart}.publication
  WHERE tenant_id = @tenant
    AND DATE(published_at) BETWEEN @published_from AND @published_to
),
latest AS (
  SELECT kpi.*
  FROM {mart}.kpi_store_day AS kpi
  INNER JOIN published ON published.run_id = kpi.run_id
  WHERE kpi.tenant_id = @tenant
    AND kpi.business_date BETWEEN @date_from AND @date_to
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY kpi.store_id, kpi.business_date
    ORDER BY kpi.revision DESC
  ) = 1
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
