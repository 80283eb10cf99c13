-- How much was staged, and which parts of the document index it touches.
SELECT
  bucket,
  COUNT(*) AS line_count,
  MAX(IF(business_date IS NULL, CONCAT(tenant_id, '/', store_id), NULL)) AS unknown_store
FROM {staging}.{lines}
GROUP BY bucket
