-- What happens to each contested document: `new` store-days come, `old` ones (of the index)
-- go, and `kept` documents hold the same or a higher version already.
CREATE OR REPLACE TABLE {staging}.{documents}
OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 DAY)) AS
WITH held AS (
  SELECT *
  FROM {dwh}.document
  WHERE bucket IN UNNEST(@buckets) AND event = @event
),
held_version AS (
  SELECT DISTINCT tenant_id, source, document_key, document_version, source_object
  FROM held
  WHERE state = 'current'
),
staged AS (
  SELECT
    tenant_id,
    source,
    document_key,
    bucket,
    document_version,
    source_object,
    store_id,
    business_date,
    COUNTIF(is_retraction IS NOT TRUE) AS line_count
  FROM {staging}.{lines}
  GROUP BY
    tenant_id, source, document_key, bucket, document_version, source_object, store_id,
    business_date
),
judged AS (
  SELECT
    staged.*,
    @again
      OR v.document_version IS NULL
      OR staged.document_version > v.document_version
      OR (staged.document_version = v.document_version
        AND staged.source_object > v.source_object) AS wins
  FROM staged
  LEFT JOIN held_version AS v
    ON v.tenant_id = staged.tenant_id
    AND v.source = staged.source
    AND v.document_key = staged.document_key
),
winner AS (
  SELECT DISTINCT tenant_id, source, document_key
  FROM judged
  WHERE wins
)
SELECT
  IF(wins, 'new', 'kept') AS op,
  tenant_id, source, document_key, bucket, document_version, source_object, store_id,
  business_date, line_count, 'current' AS state
FROM judged
UNION ALL
SELECT
  'old' AS op,
  held.tenant_id, held.source, held.document_key, held.bucket, held.document_version,
  held.source_object, held.store_id, held.business_date, held.line_count, held.state
FROM held
INNER JOIN winner
  ON winner.tenant_id = held.tenant_id
  AND winner.source = held.source
  AND winner.document_key = held.document_key
