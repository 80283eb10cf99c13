-- The index of the winning documents as it is from now on: their new store-days alone. A
-- row to insert has no match_bucket and so matches nothing.
MERGE {dwh}.document AS t
USING (
  SELECT 'insert' AS deed, CAST(NULL AS INT64) AS match_bucket, *
  FROM {staging}.{documents}
  WHERE op = 'new'
  UNION ALL
  SELECT 'delete' AS deed, bucket AS match_bucket, *
  FROM {staging}.{documents}
  WHERE op = 'new'
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY tenant_id, source, document_key
    ORDER BY store_id, business_date
  ) = 1
) AS s
ON t.bucket IN UNNEST(@buckets)
  AND t.bucket = s.match_bucket
  AND t.event = @event
  AND t.tenant_id = s.tenant_id
  AND t.source = s.source
  AND t.document_key = s.document_key
WHEN MATCHED THEN
  DELETE
WHEN NOT MATCHED BY TARGET AND s.deed = 'insert' THEN
  INSERT (
    tenant_id, source, event, document_key, bucket, document_version, source_object, store_id,
    business_date, line_count, state
  )
  VALUES (
    s.tenant_id, s.source, @event, s.document_key, s.bucket, s.document_version, s.source_object,
    s.store_id, s.business_date, s.line_count, 'current'
  )
