-- What was announced of documents that are not contested is held from now on.
UPDATE {dwh}.document AS t
SET state = 'current'
FROM (
  SELECT sending.*
  FROM {staging}.{sendings} AS sending
  LEFT JOIN {staging}.{aside} AS aside
    ON aside.tenant_id = sending.tenant_id
    AND aside.source = sending.source
    AND aside.document_key = sending.document_key
    AND aside.document_version = sending.document_version
    AND aside.source_object = sending.source_object
  WHERE aside.document_key IS NULL
) AS s
WHERE t.bucket IN UNNEST(@buckets)
  AND t.bucket = s.bucket
  AND t.event = @event
  AND t.state = 'pending'
  AND t.tenant_id = s.tenant_id
  AND t.source = s.source
  AND t.document_key = s.document_key
  AND t.store_id = s.store_id
  AND t.business_date = s.business_date
