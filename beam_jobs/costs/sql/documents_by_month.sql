-- Places of documents by store and month, in all parts of the index.
SELECT store_id, DATE_TRUNC(business_date, MONTH) AS month, COUNT(*) AS row_count
FROM {dwh}.document
WHERE bucket BETWEEN 0 AND 999
  AND tenant_id = @tenant
  AND business_date BETWEEN @date_from AND @date_to
GROUP BY store_id, month
