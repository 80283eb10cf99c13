-- Store-days of which a document that stays in its place with as many lines says something else
-- than dwh holds of it. A line that both have is there twice.
WITH place AS (
  SELECT tenant_id, source, document_key, store_id, business_date
  FROM {staging}.{documents}
  WHERE op IN ('new', 'old')
  GROUP BY tenant_id, source, document_key, store_id, business_date
  HAVING COUNT(*) = 2 AND COUNT(DISTINCT op) = 2
),
said AS (
  SELECT place.*, TO_JSON_STRING(STRUCT({staged_content})) AS content
  FROM place
  INNER JOIN {staging}.{lines} AS staged
    ON staged.tenant_id = place.tenant_id
    AND staged.source = place.source
    AND staged.document_key = place.document_key
    AND staged.store_id = place.store_id
    AND staged.business_date = place.business_date
  WHERE staged.is_retraction IS NOT TRUE
  UNION ALL
  SELECT place.*, TO_JSON_STRING(STRUCT({held_content})) AS content
  FROM place
  INNER JOIN {dwh_table} AS held
    ON held.tenant_id = place.tenant_id
    AND held.source = place.source
    AND held.document_key = place.document_key
    AND held.store_id = place.store_id
    AND held.business_date = place.business_date
  WHERE held.business_date BETWEEN @first AND @last
),
single AS (
  SELECT tenant_id, store_id, business_date
  FROM said
  GROUP BY tenant_id, source, document_key, store_id, business_date, content
  HAVING COUNT(*) != 2
)
SELECT DISTINCT tenant_id, store_id, business_date
FROM single
