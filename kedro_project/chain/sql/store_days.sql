-- The last published revision of each store-day of a tenant, as far as the models look at it.
WITH published AS (
  SELECT DISTINCT run_id
  FROM {mart}.publication
  WHERE tenant_id = @tenant
    AND DATE(published_at) BETWEEN @published_from AND @published_to
)
SELECT
  kpi.store_id,
  kpi.business_date,
  kpi.currency,
  kpi.net_sales_amount,
  kpi.footfall,
  kpi.transactions,
  kpi.units,
  kpi.open_s,
  kpi.expected_s,
  kpi.covered_s
FROM {mart}.kpi_store_day AS kpi
INNER JOIN published ON published.run_id = kpi.run_id
WHERE kpi.tenant_id = @tenant
  AND kpi.business_date BETWEEN @date_from AND @date_to
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY kpi.store_id, kpi.business_date
  ORDER BY kpi.revision DESC
) = 1
