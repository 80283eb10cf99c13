-- Stores in which cameras told of people, whichever cameras they have now, and of what.
SELECT
  store_id,
  LOGICAL_OR(person_id IS NOT NULL AND kind != 'pass') AS knows_persons,
  LOGICAL_OR(kind = 'pass') AS sees_passing,
  LOGICAL_OR(kind IN ('zone_enter', 'zone_exit')) AS sees_zones
FROM {dwh}.visit_event
WHERE tenant_id = @tenant
  AND business_date BETWEEN @date_from AND @date_to
GROUP BY store_id
