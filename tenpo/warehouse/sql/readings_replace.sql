-- The intervals that changed: out with the old, in with the new. A row to insert has no
-- match_date and so matches nothing.
MERGE {dwh}.reading_interval AS t
USING (
  SELECT *, IF(op = 'delete', business_date, NULL) AS match_date
  FROM {staging}.{changes}
  WHERE op IN ('insert', 'delete')
) AS s
ON t.business_date BETWEEN @first AND @last
  AND t.business_date = s.match_date
  AND t.tenant_id = s.tenant_id
  AND t.store_id = s.store_id
  AND t.source = s.source
  AND t.device_id = s.device_id
  AND t.line_id = s.line_id
  AND t.start_at = s.start_at
  AND t.end_at = s.end_at
WHEN MATCHED THEN
  DELETE
WHEN NOT MATCHED BY TARGET AND s.op = 'insert' THEN
  INSERT ({columns})
  VALUES ({values})
