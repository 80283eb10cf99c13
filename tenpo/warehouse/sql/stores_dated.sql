-- The lines of these stores have their business dates by the store's present clock.
UPDATE {dwh}.store
SET dated_timezone = timezone, dated_cutover_s = day_cutover_s
WHERE tenant_id = @tenant_id AND store_id IN UNNEST(@store_ids)
