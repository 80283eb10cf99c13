-- Erased persons leave their current events.
UPDATE {dwh}.visit_event
SET person_id = NULL, match_score = NULL, face_state = @state
WHERE tenant_id = @tenant_id
  AND business_date BETWEEN @date_from AND @date_to
  AND person_id IN UNNEST(@raw_ids)
