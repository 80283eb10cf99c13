-- Tells the index where lines of documents that it did not know are about to appear, so that
-- whoever comes after a crash knows every day on which they may lie.
INSERT INTO {dwh}.document (
  tenant_id, source, event, document_key, bucket, document_version, source_object, store_id,
  business_date, line_count, state
)
SELECT
  sending.tenant_id, sending.source, @event, sending.document_key, sending.bucket,
  sending.document_version, sending.source_object, sending.store_id, sending.business_date,
  sending.line_count, 'pending'
FROM {staging}.{sendings} AS sending
LEFT JOIN {staging}.{aside} AS aside
  ON aside.tenant_id = sending.tenant_id
  AND aside.source = sending.source
  AND aside.document_key = sending.document_key
  AND aside.document_version = sending.document_version
  AND aside.source_object = sending.source_object
WHERE aside.document_key IS NULL
