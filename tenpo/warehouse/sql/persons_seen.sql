-- Store-days that raw ids visited whose person has changed; who only passed by did not visit.
SELECT DISTINCT event.tenant_id, event.store_id, event.business_date
FROM {dwh}.visit_event AS event
INNER JOIN {dwh}.person AS person
  ON person.tenant_id = event.tenant_id AND person.raw_id = event.person_id
WHERE event.tenant_id = @tenant_id
  AND event.business_date BETWEEN @date_from AND @date_to
  AND event.kind != 'pass'
  AND person.state = 'pending'
