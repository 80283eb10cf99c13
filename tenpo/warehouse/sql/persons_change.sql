-- What changed of who is whom. A link that is undone stays as a row that names itself, until
-- the store-days that it touches are marked.
MERGE {dwh}.person AS t
USING {staging}.{stage} AS s
ON t.tenant_id = @tenant_id AND t.raw_id = s.raw_id
WHEN MATCHED THEN
  UPDATE SET person_id = s.person_id, changed_at = s.changed_at, state = s.state
WHEN NOT MATCHED BY TARGET THEN
  INSERT (tenant_id, raw_id, person_id, changed_at, state)
  VALUES (s.tenant_id, s.raw_id, s.person_id, s.changed_at, s.state)
