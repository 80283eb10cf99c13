-- Stores whose lines in dwh got their business dates by another clock than the master's.
SELECT store_id
FROM {dwh}.store
WHERE tenant_id = @tenant_id
  AND (
    COALESCE(dated_timezone, timezone) != timezone
    OR COALESCE(dated_cutover_s, day_cutover_s) != day_cutover_s
  )
ORDER BY store_id
