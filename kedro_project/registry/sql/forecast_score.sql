-- Past forecasts of published runs beside what came, by run, store, measure and week ahead. The
-- truth is the last published revision of a store-day; what a model could not learn from is none:
-- figures below zero, and counts that the counters covered too little of.
WITH published AS (
  SELECT DISTINCT run_id
  FROM {mart}.publication
  WHERE tenant_id = @tenant
    AND DATE(published_at) BETWEEN @published_from AND @published_to
),
truth AS (
  SELECT
    kpi.store_id,
    kpi.business_date,
    kpi.currency,
    kpi.net_sales_amount AS sales,
    kpi.transactions AS customers,
    IF(kpi.covered_s >= @min_coverage * kpi.expected_s, kpi.footfall, NULL) AS footfall
  FROM {mart}.kpi_store_day AS kpi
  INNER JOIN published ON published.run_id = kpi.run_id
  WHERE kpi.tenant_id = @tenant
    AND kpi.business_date BETWEEN @date_from AND @date_to
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY kpi.store_id, kpi.business_date
    ORDER BY kpi.revision DESC
  ) = 1
),
forecast AS (
  SELECT DISTINCT
    ahead.run_id,
    ahead.as_of_date,
    ahead.store_id,
    ahead.currency,
    ahead.business_date,
    ahead.measure,
    ahead.value,
    ahead.low,
    ahead.high
  FROM {mart}.store_forecast AS ahead
  INNER JOIN published ON published.run_id = ahead.run_id
  WHERE ahead.tenant_id = @tenant
    AND ahead.as_of_date BETWEEN @as_of_from AND @date_to
    AND ahead.business_date BETWEEN @date_from AND @date_to
),
pair AS (
  SELECT
    forecast.*,
    CASE forecast.measure
      WHEN 'sales' THEN truth.sales
      WHEN 'footfall' THEN CAST(truth.footfall AS NUMERIC)
      ELSE CAST(truth.customers AS NUMERIC)
    END AS happened
  FROM forecast
  INNER JOIN truth
    ON truth.store_id = forecast.store_id
    AND truth.business_date = forecast.business_date
    AND truth.currency = forecast.currency
)
SELECT
  run_id,
  store_id,
  currency,
  measure,
  -- No sum within DIV: the compatible server loses its parentheses (bqemulator 1.4, 2026-11).
  DIV(DATE_DIFF(business_date, DATE_ADD(as_of_date, INTERVAL 1 DAY), DAY), 7) + 1 AS week,
  COUNT(*) AS days,
  SUM(ABS(happened - value)) AS error,
  SUM(happened) AS happened,
  COUNTIF(happened BETWEEN low AND high) AS inside
FROM pair
WHERE happened >= 0
GROUP BY run_id, store_id, currency, measure, week
ORDER BY run_id, store_id, currency, measure, week
