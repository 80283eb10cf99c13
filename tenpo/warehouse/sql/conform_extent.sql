-- Which parts of the document index the sendings touch, and a store that no master names.
SELECT
  bucket,
  MAX(IF(business_date IS NULL, CONCAT(tenant_id, '/', store_id), NULL)) AS unknown_store
FROM {staging}.{sendings}
GROUP BY bucket
