-- Current events that carry one of these persons, by store-day; a pass is no visit.
SELECT store_id, business_date, COUNT(*) AS event_count, COUNTIF(kind != 'pass') AS visit_count
FROM {dwh}.visit_event
WHERE tenant_id = @tenant_id
  AND business_date BETWEEN @date_from AND @date_to
  AND person_id IN UNNEST(@raw_ids)
GROUP BY store_id, business_date
