-- Which of the loads are in raw.
SELECT DISTINCT load_id
FROM {raw_table}
WHERE ingested_at >= @from_at
  AND ingested_at < @to_at
  AND load_id IN UNNEST(@load_ids)
