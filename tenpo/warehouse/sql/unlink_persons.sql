-- Erased persons leave the list of who is whom. Who was thought to be one of them (and was split
-- off since) is themselves, until the next publishing has marked their store-days.
MERGE {dwh}.person AS t
USING (
  SELECT raw_id
  FROM {dwh}.person
  WHERE tenant_id = @tenant_id
    AND (raw_id IN UNNEST(@raw_ids) OR person_id IN UNNEST(@raw_ids))
) AS s
ON t.tenant_id = @tenant_id AND t.raw_id = s.raw_id
WHEN MATCHED AND t.raw_id IN UNNEST(@raw_ids) THEN
  DELETE
WHEN MATCHED THEN
  UPDATE SET person_id = t.raw_id, state = 'pending'
