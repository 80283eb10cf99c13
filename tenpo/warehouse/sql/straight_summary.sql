-- The store-days of all documents that are not contested, how many documents these are, and
-- how many others there are.
WITH straight AS (
  SELECT sending.*
  FROM {staging}.{sendings} AS sending
  LEFT JOIN {staging}.{contested} AS contested
    ON contested.tenant_id = sending.tenant_id
    AND contested.source = sending.source
    AND contested.document_key = sending.document_key
  WHERE contested.document_key IS NULL
)
SELECT
  tenant_id,
  store_id,
  business_date,
  SUM(line_count) AS line_count,
  (
    SELECT COUNT(DISTINCT CONCAT(tenant_id, ' ', source, ' ', document_key)) FROM straight
  ) AS document_count,
  (SELECT COUNT(*) FROM {staging}.{contested}) AS contested_count
FROM straight
GROUP BY tenant_id, store_id, business_date
