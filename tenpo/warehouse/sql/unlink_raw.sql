-- The one change that raw ever sees: erased persons leave their events.
UPDATE {raw}.raw_visitor
SET person_id = NULL, match_score = NULL, face_state = @state
WHERE tenant_id = @tenant_id
  AND ingested_at >= @from_at
  AND ingested_at < @to_at
  AND person_id IN UNNEST(@raw_ids)
