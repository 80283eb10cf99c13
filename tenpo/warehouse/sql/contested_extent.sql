-- How many contested documents are written, how many stay as they are, and between which moments
-- their lines are of or came.
SELECT
  COUNT(DISTINCT IF(op = 'new', CONCAT(tenant_id, ' ', source, ' ', document_key), NULL))
    AS written,
  COUNT(DISTINCT IF(op = 'kept', CONCAT(tenant_id, ' ', source, ' ', document_key), NULL)) AS kept,
  (SELECT MIN(LEAST(occurred_at, received_at)) FROM {staging}.{lines}) AS first_at,
  (SELECT MAX(GREATEST(occurred_at, received_at)) FROM {staging}.{lines}) AS last_at
FROM {staging}.{documents}
