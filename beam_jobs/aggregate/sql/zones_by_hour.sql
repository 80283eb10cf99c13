-- Visitors of each zone, each once a business date in the hour they first came, and those of them
-- who stayed for more than 30 s: from each entry of a track to its exit, added up. Who is not
-- known counts by track. Staff are left out: a person seen as staff once on a date is staff on it.
WITH told AS (
  SELECT
    store_id,
    business_date,
    zone_id,
    hour_start_at,
    local_hour,
    kind,
    COALESCE(person_id, CONCAT(camera_id, '|', track_id)) AS visitor,
    occurred_at,
    LEAD(kind) OVER track AS next_kind,
    LEAD(occurred_at) OVER track AS next_at
  FROM {dwh}.visit_event_current
  WHERE tenant_id = @tenant
    AND business_date BETWEEN @date_from AND @date_to
    AND store_id IN UNNEST(@stores)
    AND kind IN ('zone_enter', 'zone_exit')
    AND zone_id IS NOT NULL
  WINDOW track AS (
    PARTITION BY store_id, business_date, zone_id, camera_id, track_id ORDER BY occurred_at, kind
  )
),
staff AS (
  SELECT DISTINCT
    store_id,
    business_date,
    COALESCE(person_id, CONCAT(camera_id, '|', track_id)) AS visitor
  FROM {dwh}.visit_event_current
  WHERE tenant_id = @tenant
    AND business_date BETWEEN @date_from AND @date_to
    AND store_id IN UNNEST(@stores)
    AND is_staff
),
visited AS (
  SELECT
    told.store_id,
    told.business_date,
    told.zone_id,
    told.visitor,
    MIN(told.hour_start_at) AS hour_start_at,
    MIN(told.local_hour) AS local_hour,
    SUM(
      IF(
        told.kind = 'zone_enter' AND told.next_kind = 'zone_exit',
        TIMESTAMP_DIFF(told.next_at, told.occurred_at, MILLISECOND),
        0
      )
    ) AS stay_ms
  FROM told
  LEFT JOIN staff
    ON staff.store_id = told.store_id
    AND staff.business_date = told.business_date
    AND staff.visitor = told.visitor
  WHERE staff.visitor IS NULL
  GROUP BY told.store_id, told.business_date, told.zone_id, told.visitor
)
SELECT
  store_id,
  business_date,
  hour_start_at,
  MIN(local_hour) AS local_hour,
  zone_id,
  COUNT(*) AS zone_visitors,
  COUNTIF(stay_ms > 30000) AS zone_engaged
FROM visited
GROUP BY store_id, business_date, hour_start_at, zone_id
