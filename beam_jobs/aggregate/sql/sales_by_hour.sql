-- Sales of each store, business date and hour. A receipt belongs to the hour of its
-- first line. Voided lines count as lines and as nothing else. An amount that some line
-- of turnover does not state, or no line at all, is unknown.
WITH receipt AS (
  SELECT
    store_id,
    business_date,
    source,
    document_key,
    MIN(hour_start_at) AS hour_start_at,
    MIN(local_hour) AS local_hour,
    COUNT(*) AS sale_lines,
    COUNTIF(kind = 'sale') AS sold_lines,
    COUNTIF(kind = 'return') AS returned_lines,
    COUNTIF(kind IN ('sale', 'return', 'discount') AND net_amount IS NULL) AS unknown_net,
    COUNTIF(kind IN ('sale', 'return', 'discount') AND gross_amount IS NULL) AS unknown_gross,
    COUNTIF(net_amount IS NOT NULL) AS stated_net,
    COUNTIF(gross_amount IS NOT NULL) AS stated_gross,
    COALESCE(SUM(IF(kind IN ('sale', 'return', 'discount'), net_amount, NULL)), 0) AS net,
    COALESCE(SUM(IF(kind IN ('sale', 'return', 'discount'), gross_amount, NULL)), 0) AS gross,
    COALESCE(SUM(IF(kind = 'sale', net_amount, NULL)), 0) AS sold,
    COALESCE(SUM(IF(kind = 'return', -net_amount, NULL)), 0) AS returned,
    COALESCE(SUM(IF(kind IN ('sale', 'return'), quantity, NULL)), 0) AS units
  FROM {dwh}.sale_line
  WHERE tenant_id = @tenant
    AND business_date BETWEEN @date_from AND @date_to
    AND store_id IN UNNEST(@stores)
  GROUP BY store_id, business_date, source, document_key
)

SELECT
  store_id,
  business_date,
  hour_start_at,
  MIN(local_hour) AS local_hour,
  COUNTIF(sold_lines > 0 AND net > 0) AS transactions,
  COUNTIF(returned_lines > 0) AS return_receipts,
  SUM(sale_lines) AS sale_lines,
  IF(SUM(unknown_net) = 0 AND SUM(stated_net) > 0, SUM(net), NULL) AS net_sales_amount,
  IF(SUM(unknown_gross) = 0 AND SUM(stated_gross) > 0, SUM(gross), NULL) AS gross_sales_amount,
  IF(SUM(unknown_net) = 0 AND SUM(stated_net) > 0, SUM(sold), NULL) AS sold_net_amount,
  IF(SUM(unknown_net) = 0 AND SUM(stated_net) > 0, SUM(returned), NULL) AS returned_net_amount,
  IF(SUM(unknown_net) = 0 AND SUM(stated_net) > 0, SUM(sold) - SUM(returned), NULL) AS merchandise_net_amount,
  SUM(units) AS units
FROM receipt
GROUP BY store_id, business_date, hour_start_at
