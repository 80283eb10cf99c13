-- Who was in a store on which date, from before the dates to compute; staff of a date left out.
SELECT store_id, business_date, person_id
FROM {dwh}.visit_event_current
WHERE tenant_id = @tenant
  AND business_date BETWEEN @seen_from AND @date_to
  AND store_id IN UNNEST(@stores)
  AND person_id IS NOT NULL
  AND kind != 'pass'
GROUP BY store_id, business_date, person_id
HAVING NOT COALESCE(LOGICAL_OR(is_staff), FALSE)
