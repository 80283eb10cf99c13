-- What the published store-days of some tenants sum up to over a period, by store.
WITH published AS (
  SELECT DISTINCT tenant_id, run_id
  FROM {mart}.publication
  WHERE tenant_id IN UNNEST(@tenants)
    AND DATE(published_at) BETWEEN @published_from AND @published_to
),
store_day AS (
  SELECT kpi.*
  FROM {mart}.kpi_store_day AS kpi
  INNER JOIN published
    ON published.tenant_id = kpi.tenant_id AND published.run_id = kpi.run_id
  WHERE kpi.tenant_id IN UNNEST(@tenants)
    AND kpi.business_date BETWEEN @date_from AND @date_to
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY kpi.tenant_id, kpi.store_id, kpi.business_date
    ORDER BY kpi.revision DESC
  ) = 1
)
SELECT
  tenant_id,
  store_id,
  currency,
  COUNT(*) AS day_count,
  MIN(definition_version) AS first_version,
  MAX(definition_version) AS last_version,
  SUM(transactions) AS transactions,
  SUM(units) AS units,
  SUM(net_sales_amount) AS net_sales_amount,
  SUM(merchandise_net_amount) AS merchandise_net_amount,
  SUM(sold_net_amount) AS sold_net_amount,
  SUM(returned_net_amount) AS returned_net_amount,
  SUM(captured_footfall) AS captured_footfall,
  SUM(captured_passers_by) AS captured_passers_by,
  SUM(covered_footfall) AS covered_footfall,
  SUM(covered_transactions) AS covered_transactions,
  SUM(covered_net_sales_amount) AS covered_net_sales_amount,
  SUM(covered_s) AS covered_s,
  SUM(expected_s) AS expected_s
FROM store_day
GROUP BY tenant_id, store_id, currency
ORDER BY tenant_id, store_id, currency
