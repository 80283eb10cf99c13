-- When cameras had one of these persons in view, by track.
SELECT store_id, camera_id, MIN(occurred_at) AS from_at, MAX(occurred_at) AS to_at
FROM {dwh}.visit_event
WHERE tenant_id = @tenant_id
  AND business_date BETWEEN @date_from AND @date_to
  AND person_id IN UNNEST(@raw_ids)
GROUP BY store_id, camera_id, track_id
