-- The stores of a tenant as dwh knows them.
SELECT store_id, name, timezone, currency, day_cutover_s
FROM {dwh}.store
WHERE tenant_id = @tenant_id
