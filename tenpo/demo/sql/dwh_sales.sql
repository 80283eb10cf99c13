-- What dwh holds of a tenant's sales.
SELECT
  COUNT(*) AS sale_lines,
  COUNT(DISTINCT event_id) AS event_ids,
  SUM(IF(kind IN ('sale', 'return', 'discount'), net_amount, NULL)) AS net_sales_amount,
  SUM(IF(kind IN ('sale', 'return', 'discount'), gross_amount, NULL)) AS gross_sales_amount,
  SUM(IF(kind IN ('sale', 'return'), quantity, NULL)) AS units,
  SUM(quantity * unit_price) AS quantity_times_price
FROM {dwh}.sale_line
WHERE tenant_id = @tenant
  AND business_date BETWEEN @date_from AND @date_to
