-- What the touched readings change in the intervals between neighbours: rows to insert and
-- to delete. `first` rows say that it has to be looked further back if anything is there: lines
-- whose reading before what was touched lies further back than was looked, or before a total that
-- may be a slip, and clocks that are further off. `far` rows say that something is there.
CREATE OR REPLACE TABLE {staging}.{changes}
OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 DAY)) AS
WITH staged AS (
  -- Between which moments the intervals of a store may have changed: by the clock as by
  -- arrival, and some way around, since a reading also tells of the clock of its neighbours.
  SELECT
    place.tenant_id,
    place.store_id,
    place.source,
    TIMESTAMP_SUB(
      MIN(LEAST(line.occurred_at, line.received_at)), INTERVAL @around_s SECOND
    ) AS first_at,
    TIMESTAMP_ADD(
      MAX(GREATEST(line.occurred_at, line.received_at)), INTERVAL @around_s SECOND
    ) AS last_at
  FROM (
    SELECT DISTINCT tenant_id, source, document_key, store_id
    FROM {staging}.{documents}
  ) AS place
  INNER JOIN {staging}.{lines} AS line
    ON line.tenant_id = place.tenant_id
    AND line.source = place.source
    AND line.document_key = place.document_key
  GROUP BY place.tenant_id, place.store_id, place.source
),
near AS (
  -- What came then, whatever it tells: what comes around it says where it belongs.
  SELECT sent.tenant_id, sent.store_id, sent.source, MIN(sent.occurred_at) AS first_told_at
  FROM {raw}.raw_iot_reading AS sent
  INNER JOIN staged
    ON staged.tenant_id = sent.tenant_id
    AND staged.store_id = sent.store_id
    AND staged.source = sent.source
    AND sent.received_at BETWEEN staged.first_at AND staged.last_at
  WHERE sent.ingested_at >= @arrived_from
  GROUP BY sent.tenant_id, sent.store_id, sent.source
),
touched AS (
  SELECT
    staged.* REPLACE (
      LEAST(staged.first_at, COALESCE(near.first_told_at, staged.first_at)) AS first_at
    ),
    TIMESTAMP_ADD(staged.first_at, INTERVAL @around_s SECOND) AS touched_at,
    COALESCE(near.first_told_at < @settled_from, FALSE) AS is_far
  FROM staged
  LEFT JOIN near
    ON near.tenant_id = staged.tenant_id
    AND near.store_id = staged.store_id
    AND near.source = staged.source
),
reading AS (
  SELECT dated.*, touched.first_at, touched.last_at, touched.touched_at, touched.is_far
  FROM {staging}.{dated} AS dated
  INNER JOIN touched
    ON touched.tenant_id = dated.tenant_id
    AND touched.store_id = dated.store_id
    AND touched.source = dated.source
),
pair AS (
  SELECT
    *,
    LAG(occurred_at) OVER line AS start_at,
    LAG(business_date) OVER line AS start_date,
    LAG(hour_start_at) OVER line AS start_hour_at,
    LAG(local_hour) OVER line AS start_local_hour,
    LAG(in_total) OVER line AS in_before,
    LAG(out_total) OVER line AS out_before,
    LAG(staff_in_total) OVER line AS staff_in_before,
    LAG(staff_out_total) OVER line AS staff_out_before,
    LAG(child_in_total) OVER line AS child_in_before,
    LAG(group_in_total) OVER line AS group_in_before,
    LAG(left_out) OVER line AS left_out_before,
    LAG(TIMESTAMP_DIFF(occurred_at, told_by_device_at, SECOND)) OVER line AS offset_before_s,
    TIMESTAMP_DIFF(occurred_at, told_by_device_at, SECOND) AS offset_s
  FROM reading
  WINDOW line AS (
    PARTITION BY tenant_id, store_id, source, device_id, line_id
    ORDER BY occurred_at
  )
),
judged AS (
  -- All totals of a device begin anew together, so one that fell speaks for the others.
  SELECT
    *,
    COALESCE(in_total < in_before, FALSE)
      OR COALESCE(out_total < out_before, FALSE)
      OR COALESCE(staff_in_total < staff_in_before, FALSE)
      OR COALESCE(staff_out_total < staff_out_before, FALSE)
      OR COALESCE(child_in_total < child_in_before, FALSE)
      OR COALESCE(group_in_total < group_in_before, FALSE) AS is_reset,
    COALESCE(TIMESTAMP_DIFF(occurred_at, start_at, SECOND) > @gap_s, FALSE) AS is_gap
  FROM pair
),
counted AS (
  SELECT
    tenant_id,
    store_id,
    source,
    device_id,
    line_id,
    first_at,
    last_at,
    start_at,
    occurred_at AS end_at,
    COALESCE(start_date, business_date) AS first_date,
    IF(is_gap, GREATEST(start_date, business_date), COALESCE(start_date, business_date))
      AS last_date,
    start_hour_at AS hour_start_at,
    start_local_hour AS local_hour,
    is_reset,
    is_gap,
    in_total - IF(is_reset, 0, in_before) AS in_count,
    out_total - IF(is_reset, 0, out_before) AS out_count,
    staff_in_total - IF(is_reset, 0, staff_in_before) AS staff_in_count,
    staff_out_total - IF(is_reset, 0, staff_out_before) AS staff_out_count,
    child_in_total - IF(is_reset, 0, child_in_before) AS child_in_count,
    group_in_total - IF(is_reset, 0, group_in_before) AS group_in_count,
    NULLIF(IF(ABS(offset_s) >= ABS(offset_before_s), offset_s, offset_before_s), 0)
      AS clock_offset_s,
    NULLIF(left_out - left_out_before, 0) AS left_out_count,
    COALESCE(start_at < @settled_from, TRUE) AS is_cut,
    occurred_at >= touched_at OR offset_s != 0 OR is_low AS is_of_interest,
    is_far
  FROM judged
  WHERE occurred_at >= first_at
    AND COALESCE(start_at, first_at) <= last_at
    AND COALESCE(TIMESTAMP_DIFF(occurred_at, start_at, SECOND), 0) <= @longest_s
),
spread AS (
  SELECT counted.*, business_date
  FROM counted
  CROSS JOIN UNNEST(GENERATE_DATE_ARRAY(first_date, last_date)) AS business_date
),
held AS (
  SELECT {held_columns}
  FROM {dwh}.reading_interval AS held
  INNER JOIN touched
    ON touched.tenant_id = held.tenant_id
    AND touched.store_id = held.store_id
    AND touched.source = held.source
  WHERE held.business_date BETWEEN @from_date AND @to_date
    AND held.start_at >= @settled_from
    AND held.end_at >= touched.first_at
    AND held.start_at <= touched.last_at
),
difference AS (
  SELECT 1 AS sign, {columns}
  FROM spread
  WHERE NOT is_cut
  UNION ALL
  SELECT -1 AS sign, {columns}
  FROM held
)
SELECT IF(SUM(sign) > 0, 'insert', 'delete') AS op, {columns}
FROM difference
GROUP BY {columns}
HAVING SUM(sign) != 0
UNION ALL
SELECT IF(is_far, 'far', 'first') AS op, {columns}
FROM spread
WHERE (is_cut AND is_of_interest) OR is_far OR ABS(clock_offset_s) > @near_s
UNION ALL
SELECT 'first' AS op, {columns}
FROM held
WHERE ABS(clock_offset_s) > @near_s
