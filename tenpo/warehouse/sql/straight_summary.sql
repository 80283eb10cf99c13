-- The store-days of all documents that are not contested, how many documents these are, and
-- how many others there are.
WITH straight AS (
  SELECT sending.*
  FROM {staging}.{sendings} AS sending
  LEFT JOIN {staging}.{aside} AS aside
    ON aside.tenant_id = sending.tenant_id
    AND aside.source = sending.source
    AND aside.document_key = sending.document_key
    AND aside.document_version = sending.document_version
    AND aside.source_object = sending.source_object
  WHERE aside.document_key IS NULL
)
SELECT
  tenant_id,
  store_id,
  business_date,
  SUM(line_count) AS line_count,
  (
    SELECT COUNT(DISTINCT CONCAT(tenant_id, ' ', source, ' ', document_key)) FROM straight
  ) AS document_count,
  (SELECT COUNTIF(is_contested) FROM {staging}.{aside}) AS contested_count
FROM straight
GROUP BY tenant_id, store_id, business_date
