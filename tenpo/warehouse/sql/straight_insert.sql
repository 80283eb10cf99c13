-- The lines of all documents that are not contested, right from raw. dwh has none of them; it is
-- asked all the same, since an earlier attempt may be under way, or its answer was lost.
MERGE {target} AS t
USING (
  SELECT {selected}
  FROM {raw_table} AS line
  INNER JOIN {staging}.{moments} AS moment
    ON moment.tenant_id = line.tenant_id
    AND moment.store_id = line.store_id
    AND moment.hour_at = TIMESTAMP_TRUNC(line.occurred_at, HOUR)
    AND line.occurred_at BETWEEN moment.first_at AND moment.last_at
  LEFT JOIN {staging}.{aside} AS aside
    ON aside.tenant_id = line.tenant_id
    AND aside.source = line.source
    AND aside.document_key = line.document_key
    AND aside.document_version = line.document_version
    AND aside.source_object = line.source_object
  WHERE line.ingested_at >= @from_at
    AND line.ingested_at < @to_at
    AND (@every_load OR line.load_id IN UNNEST(@load_ids))
    AND line.is_retraction IS NOT TRUE
    AND aside.document_key IS NULL
    AND moment.business_date BETWEEN @first AND @last
) AS s
ON t.business_date BETWEEN @first AND @last
  AND t.business_date = s.business_date
  AND t.tenant_id = s.tenant_id
  AND t.event_id = s.event_id
WHEN NOT MATCHED BY TARGET THEN
  INSERT ({columns})
  VALUES ({values})
