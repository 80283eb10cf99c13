-- The lines of the loads: of each document its highest version, of each line one, with
-- the store's business date and hour. A line whose store is unknown has no business date.
CREATE OR REPLACE TABLE {staging}.{lines}
OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 DAY)) AS
WITH newest AS (
  SELECT *
  FROM {raw_table}
  WHERE ingested_at >= @from_at
    AND ingested_at < @to_at
    AND (@every_load OR load_id IN UNNEST(@load_ids))
  QUALIFY RANK() OVER (
    PARTITION BY tenant_id, source, document_key
    ORDER BY document_version DESC, source_object DESC
  ) = 1
),
line AS (
  SELECT *
  FROM newest
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY event_id
    ORDER BY received_at DESC, source_position DESC, ingested_at, load_id
  ) = 1
),
wall AS (
  -- Local wall-clock times are written as if they were UTC.
  SELECT
    line.*,
    store.day_cutover_s,
    zone.from_at AS changed_at,
    zone.offset_s,
    zone.previous_offset_s,
    TIMESTAMP_ADD(line.occurred_at, INTERVAL zone.offset_s SECOND) AS wall_at,
    -- Whether the clock showed this time before, and was then put back.
    line.occurred_at < TIMESTAMP_ADD(
      zone.from_at, INTERVAL zone.previous_offset_s - zone.offset_s SECOND
    ) AS is_repeat
  FROM line
  LEFT JOIN {dwh}.store AS store
    ON store.tenant_id = line.tenant_id AND store.store_id = line.store_id
  LEFT JOIN {dwh}.timezone_offset AS zone
    ON zone.timezone = store.timezone
    AND line.occurred_at >= zone.from_at
    AND line.occurred_at < zone.until_at
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
)
SELECT
  business_date,
  hour_start_at,
  EXTRACT(HOUR FROM wall_at) + 24 * DATE_DIFF(DATE(wall_at), business_date, DAY) AS local_hour,
  MOD(
    CAST(
      CONCAT('0x', SUBSTR(TO_HEX(MD5(CONCAT(tenant_id, ' ', source, ' ', document_key))), 1, 8))
      AS INT64
    ),
    1000
  ) AS bucket,
  {columns}
FROM trading
