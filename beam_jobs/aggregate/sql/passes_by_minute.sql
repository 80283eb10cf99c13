-- Who passed each camera, by minute; staff left out.
SELECT
  store_id,
  business_date,
  hour_start_at,
  MIN(local_hour) AS local_hour,
  camera_id AS device_id,
  TIMESTAMP_TRUNC(occurred_at, MINUTE) AS start_at,
  COUNT(*) AS pass_count
FROM {dwh}.visit_event
WHERE tenant_id = @tenant
  AND business_date BETWEEN @date_from AND @date_to
  AND store_id IN UNNEST(@stores)
  AND kind = 'pass'
  AND is_staff IS NOT TRUE
GROUP BY store_id, business_date, hour_start_at, device_id, start_at
