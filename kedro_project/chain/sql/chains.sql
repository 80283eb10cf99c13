-- A tenant's chains: the currencies of its published store-days, and from when to when.
WITH published AS (
  SELECT DISTINCT run_id
  FROM {mart}.publication
  WHERE tenant_id = @tenant
    AND DATE(published_at) BETWEEN @published_from AND @published_to
)
SELECT
  kpi.currency,
  MIN(kpi.business_date) AS first_date,
  MAX(kpi.business_date) AS last_date
FROM {mart}.kpi_store_day AS kpi
INNER JOIN published ON published.run_id = kpi.run_id
WHERE kpi.tenant_id = @tenant
  AND kpi.business_date BETWEEN @date_from AND @date_to
GROUP BY kpi.currency
ORDER BY kpi.currency
