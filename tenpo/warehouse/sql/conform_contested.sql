-- Documents that cannot simply be inserted: sent more than once here, a line of them loaded more
-- than once, or known to the index.
CREATE OR REPLACE TABLE {staging}.{contested}
OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 DAY)) AS
WITH other AS (
  SELECT tenant_id, source, document_key
  FROM {staging}.{sendings}
  GROUP BY tenant_id, source, document_key
  HAVING @every_document
    OR MIN(document_version) < MAX(document_version)
    OR MIN(source_object) < MAX(source_object)
  UNION ALL
  SELECT tenant_id, source, document_key
  FROM {raw_table}
  WHERE ingested_at >= @from_at
    AND ingested_at < @to_at
    AND (@every_load OR load_id IN UNNEST(@load_ids))
  GROUP BY tenant_id, source, document_key, event_id
  HAVING COUNT(*) > 1
  UNION ALL
  SELECT tenant_id, source, document_key
  FROM {dwh}.document
  WHERE bucket IN UNNEST(@buckets) AND event = @event
)
SELECT DISTINCT
  sending.tenant_id, sending.source, sending.document_key, sending.bucket
FROM {staging}.{sendings} AS sending
INNER JOIN other
  ON other.tenant_id = sending.tenant_id
  AND other.source = sending.source
  AND other.document_key = sending.document_key
