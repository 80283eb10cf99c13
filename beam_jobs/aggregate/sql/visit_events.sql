-- What known persons did in the store; who only passed by did not visit.
SELECT store_id, business_date, hour_start_at, local_hour, person_id, kind, occurred_at, is_staff
FROM {dwh}.visit_event_current
WHERE tenant_id = @tenant
  AND business_date BETWEEN @date_from AND @date_to
  AND store_id IN UNNEST(@stores)
  AND person_id IS NOT NULL
  AND kind != 'pass'
