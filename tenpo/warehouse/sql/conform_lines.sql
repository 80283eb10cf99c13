-- The lines of the loads: of each document its highest version, of each line one, with
-- the store's business date and hour. A line whose store is unknown has no business date.
CREATE OR REPLACE TABLE {staging}.{lines}
OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 DAY)) AS
WITH newest AS (
  SELECT *
  FROM {raw_table}
  WHERE ingested_at >= @from_at
    AND ingested_at < @to_at
    AND load_id IN UNNEST(@load_ids)
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
  SELECT
    line.*,
    store.day_cutover_s,
    DATE(line.occurred_at, store.timezone) AS wall_date,
    TIME(line.occurred_at, store.timezone) AS wall_time
  FROM line
  LEFT JOIN {dwh}.store AS store
    ON store.tenant_id = line.tenant_id AND store.store_id = line.store_id
),
measured AS (
  SELECT
    *,
    TIME_DIFF(wall_time, TIME '00:00:00', SECOND) AS wall_s,
    TIME_DIFF(wall_time, TIME_TRUNC(wall_time, HOUR), MICROSECOND) AS into_hour_us
  FROM wall
),
trading AS (
  SELECT
    *,
    -- Business dates begin at the cut-over: before it, it is still the day before, and
    -- with a cut-over beyond midnight (29:00) the one before that.
    CASE
      WHEN wall_s >= day_cutover_s THEN 0
      WHEN wall_s + 86400 >= day_cutover_s THEN 1
      ELSE 2
    END AS days_back
  FROM measured
)
SELECT
  DATE_SUB(wall_date, INTERVAL days_back DAY) AS business_date,
  -- Subtracting keeps the second of two equal hours apart, and half-hour zones right.
  TIMESTAMP_SUB(occurred_at, INTERVAL into_hour_us MICROSECOND) AS hour_start_at,
  DIV(wall_s, 3600) + 24 * days_back AS local_hour,
  MOD(
    CAST(
      CONCAT('0x', SUBSTR(TO_HEX(MD5(CONCAT(tenant_id, ' ', source, ' ', document_key))), 1, 8))
      AS INT64
    ),
    1000
  ) AS bucket,
  {columns}
FROM trading
