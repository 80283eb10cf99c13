-- Adds and updates stores. One that left the master stays, for its past.
MERGE {dwh}.store AS t
USING {staging}.{stage} AS s
ON t.tenant_id = s.tenant_id AND t.store_id = s.store_id
WHEN MATCHED THEN
  UPDATE SET
    name = s.name,
    timezone = s.timezone,
    currency = s.currency,
    day_cutover_s = s.day_cutover_s,
    updated_at = s.updated_at,
    dated_timezone = COALESCE(t.dated_timezone, t.timezone),
    dated_cutover_s = COALESCE(t.dated_cutover_s, t.day_cutover_s)
WHEN NOT MATCHED BY TARGET THEN
  INSERT (tenant_id, store_id, name, timezone, currency, day_cutover_s, updated_at)
  VALUES (
    s.tenant_id, s.store_id, s.name, s.timezone, s.currency, s.day_cutover_s, s.updated_at
  )
