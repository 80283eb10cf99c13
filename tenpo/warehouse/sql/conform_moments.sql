-- Business dates and local hours of the loads' lines: stretches within an hour of UTC in which a
-- store keeps one of each. Where a store's clock changes at full hours of UTC alone, a stretch is
-- that hour; elsewhere it reaches from the first to the last line that has the same date and
-- hour. A stretch whose store is unknown has no business date.
CREATE OR REPLACE TABLE {staging}.{moments}
OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 DAY)) AS
WITH clock AS (
  SELECT
    store.tenant_id,
    store.store_id,
    LOGICAL_AND(
      MOD(store.day_cutover_s, 3600) = 0
      AND MOD(zone.offset_s, 3600) = 0
      AND MOD(zone.previous_offset_s, 3600) = 0
      AND zone.from_at = TIMESTAMP_TRUNC(zone.from_at, HOUR)
    ) AS by_hour
  FROM {dwh}.store AS store
  INNER JOIN {dwh}.timezone_offset AS zone
    ON zone.timezone = store.timezone
  GROUP BY store.tenant_id, store.store_id
),
moment AS (
  SELECT DISTINCT
    line.tenant_id,
    line.store_id,
    clock.by_hour,
    IF(clock.by_hour, TIMESTAMP_TRUNC(line.occurred_at, HOUR), line.occurred_at) AS occurred_at
  FROM {raw_table} AS line
  LEFT JOIN clock
    ON clock.tenant_id = line.tenant_id AND clock.store_id = line.store_id
  WHERE line.ingested_at >= @from_at
    AND line.ingested_at < @to_at
    AND (@every_load OR line.load_id IN UNNEST(@load_ids))
),
wall AS (
  -- Local wall-clock times are written as if they were UTC.
  SELECT
    moment.*,
    store.day_cutover_s,
    zone.from_at AS changed_at,
    zone.offset_s,
    zone.previous_offset_s,
    TIMESTAMP_ADD(moment.occurred_at, INTERVAL zone.offset_s SECOND) AS wall_at,
    -- Whether the clock showed this time before, and was then put back.
    moment.occurred_at < TIMESTAMP_ADD(
      zone.from_at, INTERVAL zone.previous_offset_s - zone.offset_s SECOND
    ) AS is_repeat
  FROM moment
  LEFT JOIN {dwh}.store AS store
    ON store.tenant_id = moment.tenant_id AND store.store_id = moment.store_id
  LEFT JOIN {dwh}.timezone_offset AS zone
    ON zone.timezone = store.timezone
    AND moment.occurred_at >= zone.from_at
    AND moment.occurred_at < zone.until_at
),
mark AS (
  -- The full hour before, and the cut-overs before and after, by the wall clock.
  SELECT
    *,
    TIMESTAMP_TRUNC(wall_at, HOUR) AS wall_hour,
    TIMESTAMP_ADD(
      TIMESTAMP_TRUNC(TIMESTAMP_SUB(wall_at, INTERVAL day_cutover_s SECOND), DAY),
      INTERVAL day_cutover_s SECOND
    ) AS cutover,
    TIMESTAMP_ADD(
      TIMESTAMP_TRUNC(TIMESTAMP_SUB(wall_at, INTERVAL day_cutover_s SECOND), DAY),
      INTERVAL day_cutover_s + 86400 SECOND
    ) AS next_cutover
  FROM wall
),
reading AS (
  -- Each read with the offset before the last change, and with the present one.
  SELECT
    *,
    TIMESTAMP_SUB(wall_hour, INTERVAL previous_offset_s SECOND) AS hour_before,
    TIMESTAMP_SUB(wall_hour, INTERVAL offset_s SECOND) AS hour_now,
    TIMESTAMP_SUB(cutover, INTERVAL previous_offset_s SECOND) AS cutover_before,
    TIMESTAMP_SUB(cutover, INTERVAL offset_s SECOND) AS cutover_now,
    TIMESTAMP_SUB(next_cutover, INTERVAL previous_offset_s SECOND) AS next_before,
    TIMESTAMP_SUB(next_cutover, INTERVAL offset_s SECOND) AS next_now
  FROM mark
),
instant AS (
  -- A repeated time means its first passing (hours: the passing they are in), a skipped one
  -- is read as if the clock had not been changed: as `tenpo.clock` does.
  SELECT
    *,
    CASE
      WHEN is_repeat AND hour_now >= changed_at THEN hour_now
      WHEN is_repeat OR hour_before < changed_at OR hour_now < changed_at THEN hour_before
      ELSE hour_now
    END AS hour_start_at,
    IF(cutover_before < changed_at OR cutover_now < changed_at, cutover_before, cutover_now)
      AS began_at,
    IF(next_before < changed_at OR next_now < changed_at, next_before, next_now) AS ends_at
  FROM reading
),
trading AS (
  SELECT
    *,
    DATE_ADD(
      DATE(TIMESTAMP_SUB(wall_at, INTERVAL day_cutover_s SECOND)),
      INTERVAL CASE WHEN occurred_at < began_at THEN -1 WHEN occurred_at >= ends_at THEN 1 ELSE 0
      END DAY
    ) AS business_date
  FROM instant
),
placed AS (
  SELECT
    tenant_id,
    store_id,
    business_date,
    hour_start_at,
    EXTRACT(HOUR FROM wall_at) + 24 * DATE_DIFF(DATE(wall_at), business_date, DAY) AS local_hour,
    TIMESTAMP_TRUNC(occurred_at, HOUR) AS hour_at,
    occurred_at AS first_at,
    IF(by_hour, TIMESTAMP_ADD(occurred_at, INTERVAL 3599999999 MICROSECOND), occurred_at)
      AS last_at
  FROM trading
)
SELECT
  tenant_id, store_id, business_date, hour_start_at, local_hour, hour_at,
  MIN(first_at) AS first_at, MAX(last_at) AS last_at
FROM placed
GROUP BY tenant_id, store_id, business_date, hour_start_at, local_hour, hour_at
