-- Stores in which known persons were seen, whichever cameras they have now.
SELECT DISTINCT store_id
FROM {dwh}.visit_event
WHERE tenant_id = @tenant
  AND business_date BETWEEN @date_from AND @date_to
  AND person_id IS NOT NULL
  AND kind != 'pass'
