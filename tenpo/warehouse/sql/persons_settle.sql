-- What was pending holds; links that are undone leave no row.
MERGE {dwh}.person AS t
USING (
  SELECT raw_id
  FROM {dwh}.person
  WHERE tenant_id = @tenant_id AND state = 'pending'
) AS s
ON t.tenant_id = @tenant_id AND t.raw_id = s.raw_id
WHEN MATCHED AND t.person_id = t.raw_id THEN
  DELETE
WHEN MATCHED THEN
  UPDATE SET state = 'current'
