-- What each counter told by hour, and for how long: what is usual at an hour of the week.
-- Readings count where the device states no intervals itself; gaps between them do not, nor do
-- single crossings (intervals of a second), which do not tell that nobody came.
WITH stated AS (
  SELECT
    store_id,
    business_date,
    device_id,
    local_hour,
    TIMESTAMP_DIFF(interval_end_at, occurred_at, SECOND) AS told_s,
    SUM(in_count - COALESCE(staff_in_count, 0)) AS visitors
  FROM {dwh}.count_interval
  WHERE tenant_id = @tenant
    AND business_date IN UNNEST(@dates)
    AND store_id IN UNNEST(@stores)
    AND in_count IS NOT NULL
    AND TIMESTAMP_DIFF(interval_end_at, occurred_at, SECOND) > 1
  GROUP BY store_id, business_date, device_id, local_hour, occurred_at, interval_end_at
),
derived AS (
  SELECT
    store_id,
    business_date,
    device_id,
    local_hour,
    TIMESTAMP_DIFF(end_at, start_at, SECOND) AS told_s,
    SUM(in_count - COALESCE(staff_in_count, 0)) AS visitors
  FROM {dwh}.reading_interval
  WHERE tenant_id = @tenant
    AND business_date IN UNNEST(@dates)
    AND store_id IN UNNEST(@stores)
    AND is_gap IS NOT TRUE
  GROUP BY store_id, business_date, device_id, local_hour, start_at, end_at
),
told AS (
  SELECT *
  FROM stated
  UNION ALL
  SELECT derived.*
  FROM derived
  LEFT JOIN (SELECT DISTINCT store_id, business_date, device_id FROM stated) AS own
    ON own.store_id = derived.store_id
    AND own.business_date = derived.business_date
    AND own.device_id = derived.device_id
  WHERE own.store_id IS NULL
)
SELECT
  store_id,
  business_date,
  device_id,
  local_hour,
  SUM(visitors) AS visitors,
  SUM(told_s) AS told_s
FROM told
WHERE told_s BETWEEN 1 AND 3600
GROUP BY store_id, business_date, device_id, local_hour
