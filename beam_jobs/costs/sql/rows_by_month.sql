-- Rows of each store and month.
SELECT store_id, DATE_TRUNC(business_date, MONTH) AS month, COUNT(*) AS row_count
FROM {dwh_table}
WHERE tenant_id = @tenant
  AND business_date BETWEEN @date_from AND @date_to
GROUP BY store_id, month
