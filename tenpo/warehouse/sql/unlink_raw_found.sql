-- Rows of raw that carry one of these persons, by the object they came from.
SELECT source_object, COUNT(*) AS row_count
FROM {raw}.raw_visitor
WHERE tenant_id = @tenant_id
  AND ingested_at >= @from_at
  AND ingested_at < @to_at
  AND person_id IN UNNEST(@raw_ids)
GROUP BY source_object
