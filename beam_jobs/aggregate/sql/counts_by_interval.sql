-- Counts of each device and interval, its counting lines added up.
SELECT
  store_id,
  business_date,
  device_id,
  hour_start_at,
  MIN(local_hour) AS local_hour,
  occurred_at AS start_at,
  interval_end_at AS end_at,
  SUM(in_count) AS in_count,
  SUM(out_count) AS out_count,
  SUM(COALESCE(staff_in_count, 0)) AS staff_in_count
FROM {dwh}.count_interval
WHERE tenant_id = @tenant
  AND business_date BETWEEN @date_from AND @date_to
  AND store_id IN UNNEST(@stores)
GROUP BY store_id, business_date, device_id, hour_start_at, occurred_at, interval_end_at
