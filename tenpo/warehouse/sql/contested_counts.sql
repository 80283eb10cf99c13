-- How many documents are written, and how many stay as they are.
SELECT
  COUNT(DISTINCT IF(op = 'new', CONCAT(tenant_id, ' ', source, ' ', document_key), NULL))
    AS written,
  COUNT(DISTINCT IF(op = 'kept', CONCAT(tenant_id, ' ', source, ' ', document_key), NULL)) AS kept
FROM {staging}.{documents}
