-- Counts of each device and interval, its counting lines added up. Where a channel states
-- counts of an interval itself, those between its readings in that time are left out, and so are
-- its single crossings (intervals of a second) in a time of which anything longer tells. A
-- channel is what stands before the dot of a line: a recorder has many, each a camera of its
-- own, whose lines and regions see the same people.
WITH stated AS (
  SELECT
    store_id,
    business_date,
    device_id,
    SPLIT(line_id, '.')[OFFSET(0)] AS channel,
    hour_start_at,
    local_hour,
    occurred_at AS start_at,
    interval_end_at AS end_at,
    in_count,
    out_count,
    pass_count,
    staff_in_count,
    FALSE AS is_gap
  FROM {dwh}.count_interval
  WHERE tenant_id = @tenant
    AND business_date BETWEEN @date_from AND @date_to
    AND store_id IN UNNEST(@stores)
),
derived AS (
  SELECT
    store_id,
    business_date,
    device_id,
    SPLIT(line_id, '.')[OFFSET(0)] AS channel,
    hour_start_at,
    local_hour,
    start_at,
    end_at,
    in_count,
    out_count,
    CAST(NULL AS INT64) AS pass_count,
    staff_in_count,
    is_gap
  FROM {dwh}.reading_interval
  WHERE tenant_id = @tenant
    AND business_date BETWEEN @date_from AND @date_to
    AND store_id IN UNNEST(@stores)
),
told AS (
  SELECT *
  FROM stated
  WHERE TIMESTAMP_DIFF(end_at, start_at, SECOND) > 1
  UNION ALL
  SELECT derived.*
  FROM derived
  LEFT JOIN stated
    ON stated.store_id = derived.store_id
    AND stated.business_date = derived.business_date
    AND stated.device_id = derived.device_id
    AND stated.channel = derived.channel
    AND stated.start_at < derived.end_at
    AND stated.end_at > derived.start_at
    AND TIMESTAMP_DIFF(stated.end_at, stated.start_at, SECOND) > 1
  WHERE stated.store_id IS NULL
),
counted AS (
  SELECT *
  FROM told
  UNION ALL
  SELECT crossing.*
  FROM stated AS crossing
  LEFT JOIN told
    ON told.store_id = crossing.store_id
    AND told.business_date = crossing.business_date
    AND told.device_id = crossing.device_id
    AND told.channel = crossing.channel
    AND told.start_at < crossing.end_at
    AND told.end_at > crossing.start_at
  WHERE TIMESTAMP_DIFF(crossing.end_at, crossing.start_at, SECOND) <= 1
    AND told.store_id IS NULL
)
SELECT
  store_id,
  business_date,
  device_id,
  hour_start_at,
  MIN(local_hour) AS local_hour,
  start_at,
  end_at,
  SUM(in_count) AS in_count,
  SUM(out_count) AS out_count,
  SUM(pass_count) AS pass_count,
  SUM(COALESCE(staff_in_count, 0)) AS staff_in_count,
  is_gap
FROM counted
GROUP BY store_id, business_date, device_id, hour_start_at, start_at, end_at, is_gap
