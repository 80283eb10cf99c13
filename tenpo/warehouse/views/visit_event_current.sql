-- Events of tracked people by the person that each raw id belongs to now.
SELECT
  {columns},
  COALESCE(person.person_id, event.person_id) AS person_id,
  event.person_id AS raw_person_id
FROM {dwh}.visit_event AS event
LEFT JOIN {dwh}.person AS person
  ON person.tenant_id = event.tenant_id AND person.raw_id = event.person_id
