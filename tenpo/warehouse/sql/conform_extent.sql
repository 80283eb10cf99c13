-- How much was staged, and which parts of the document index it touches.
SELECT
  bucket,
  COUNT(*) AS line_count,
  MIN(LEAST(occurred_at, received_at)) AS first_at,
  MAX(GREATEST(occurred_at, received_at)) AS last_at,
  MAX(IF(business_date IS NULL, CONCAT(tenant_id, '/', store_id), NULL)) AS unknown_store
FROM {staging}.{lines}
GROUP BY bucket
