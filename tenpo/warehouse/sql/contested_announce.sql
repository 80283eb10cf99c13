-- Tells the index where lines of contested documents are about to appear, so that whoever comes
-- after a crash knows every day on which they may lie.
INSERT INTO {dwh}.document (
  tenant_id, source, event, document_key, bucket, document_version, source_object, store_id,
  business_date, line_count, state
)
SELECT
  tenant_id, source, @event, document_key, bucket, document_version, source_object, store_id,
  business_date, line_count, 'pending'
FROM {staging}.{documents}
WHERE op = 'new'
