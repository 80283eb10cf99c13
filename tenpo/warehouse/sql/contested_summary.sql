-- Each store-day with what will be done there. `changed` documents differ in place or number of
-- lines; whether `doubtful` ones say something else is for their lines to tell.
WITH place AS (
  SELECT
    tenant_id,
    source,
    document_key,
    store_id,
    business_date,
    MAX(IF(op = 'new', line_count, 0)) AS line_count,
    COUNT(*) = 2
      AND COUNT(DISTINCT op) = 2
      AND COUNTIF(state = 'pending') = 0
      AND COUNT(DISTINCT line_count) = 1 AS is_doubtful
  FROM {staging}.{documents}
  WHERE op IN ('new', 'old')
  GROUP BY tenant_id, source, document_key, store_id, business_date
)
SELECT
  tenant_id,
  store_id,
  business_date,
  SUM(line_count) AS line_count,
  COUNTIF(NOT is_doubtful) > 0 AS changed,
  COUNTIF(is_doubtful) > 0 AS doubtful
FROM place
GROUP BY tenant_id, store_id, business_date
