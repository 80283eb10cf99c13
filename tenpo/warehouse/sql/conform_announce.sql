-- Tells the index where lines are about to appear, so that whoever comes after a crash
-- knows every day on which they may lie.
MERGE {dwh}.document AS t
USING (SELECT * FROM {staging}.{documents} WHERE op = 'new') AS s
ON t.bucket IN UNNEST(@buckets)
  AND t.bucket = s.bucket
  AND t.event = @event
  AND t.tenant_id = s.tenant_id
  AND t.source = s.source
  AND t.document_key = s.document_key
  AND t.store_id = s.store_id
  AND t.business_date = s.business_date
  AND t.state = 'pending'
WHEN NOT MATCHED BY TARGET THEN
  INSERT (
    tenant_id, source, event, document_key, bucket, document_version, source_object, store_id,
    business_date, line_count, content_hash, state
  )
  VALUES (
    s.tenant_id, s.source, @event, s.document_key, s.bucket, s.document_version, s.source_object,
    s.store_id, s.business_date, s.line_count, s.content_hash, 'pending'
  )
