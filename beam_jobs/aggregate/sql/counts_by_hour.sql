-- What each counter told by hour, and for how long: what is usual at an hour of the week.
-- Readings count where their channel (see counts_by_interval.sql) states no intervals itself;
-- gaps between them do not, nor do single crossings (intervals of a second), which do not tell
-- that nobody came.
WITH stated AS (
  SELECT
    store_id,
    business_date,
    device_id,
    SPLIT(line_id, '.')[OFFSET(0)] AS channel,
    local_hour,
    occurred_at AS start_at,
    interval_end_at AS end_at,
    in_count - COALESCE(staff_in_count, 0) AS visitors,
    TRUE AS is_stated
  FROM {dwh}.count_interval
  WHERE tenant_id = @tenant
    AND business_date IN UNNEST(@dates)
    AND store_id IN UNNEST(@stores)
    AND in_count IS NOT NULL
    AND TIMESTAMP_DIFF(interval_end_at, occurred_at, SECOND) > 1
),
derived AS (
  SELECT
    store_id,
    business_date,
    device_id,
    SPLIT(line_id, '.')[OFFSET(0)] AS channel,
    local_hour,
    start_at,
    end_at,
    in_count - COALESCE(staff_in_count, 0) AS visitors,
    FALSE AS is_stated
  FROM {dwh}.reading_interval
  WHERE tenant_id = @tenant
    AND business_date IN UNNEST(@dates)
    AND store_id IN UNNEST(@stores)
    AND is_gap IS NOT TRUE
),
told AS (
  SELECT *
  FROM stated
  UNION ALL
  SELECT derived.*
  FROM derived
  LEFT JOIN (SELECT DISTINCT store_id, business_date, device_id, channel FROM stated) AS own
    ON own.store_id = derived.store_id
    AND own.business_date = derived.business_date
    AND own.device_id = derived.device_id
    AND own.channel = derived.channel
  WHERE own.store_id IS NULL
),
apart AS (
  -- Lines tell of the same time: an interval counts once.
  SELECT
    store_id,
    business_date,
    device_id,
    local_hour,
    is_stated,
    TIMESTAMP_DIFF(end_at, start_at, SECOND) AS told_s,
    SUM(visitors) AS visitors
  FROM told
  GROUP BY store_id, business_date, device_id, local_hour, is_stated, start_at, end_at
),
by_kind AS (
  SELECT
    store_id,
    business_date,
    device_id,
    local_hour,
    is_stated,
    SUM(visitors) AS visitors,
    SUM(told_s) AS told_s
  FROM apart
  WHERE told_s BETWEEN 1 AND 3600
  GROUP BY store_id, business_date, device_id, local_hour, is_stated
)
-- Readings of one channel tell of the same hour as the intervals of another.
SELECT
  store_id,
  business_date,
  device_id,
  local_hour,
  SUM(visitors) AS visitors,
  MAX(told_s) AS told_s
FROM by_kind
GROUP BY store_id, business_date, device_id, local_hour
