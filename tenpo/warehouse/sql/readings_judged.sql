-- The readings around those touched, each at the moment that its device's clock and its
-- arrival together make believable (docs/adr/0015-device-clocks.md). Totals say what came
-- before what: they never fall but where the device began anew.
CREATE OR REPLACE TABLE {staging}.{judged}
OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 DAY)) AS
WITH touched AS (
  SELECT DISTINCT tenant_id, store_id, source
  FROM {staging}.{documents}
),
arrival AS (
  -- What comes again later says nothing of the clock, so the first arrival of each counts;
  -- other totals of the same time are another reading, by a clock that was put back.
  SELECT
    sent.tenant_id,
    sent.source,
    sent.document_key,
    sent.line_id,
    sent.in_total,
    COALESCE(sent.out_total, 0) AS out_total,
    MIN(sent.received_at) AS received_at
  FROM {raw}.raw_iot_reading AS sent
  INNER JOIN touched
    ON touched.tenant_id = sent.tenant_id
    AND touched.store_id = sent.store_id
    AND touched.source = sent.source
  WHERE sent.ingested_at >= @arrived_from
  GROUP BY
    sent.tenant_id, sent.source, sent.document_key, sent.line_id, sent.in_total,
    COALESCE(sent.out_total, 0)
),
reading AS (
  -- Of one moment one reading, however its sender cut its documents.
  SELECT
    held.* REPLACE (COALESCE(arrival.received_at, held.received_at) AS received_at),
    held.in_total + COALESCE(held.out_total, 0) AS people
  FROM {dwh}.count_reading AS held
  INNER JOIN touched
    ON touched.tenant_id = held.tenant_id
    AND touched.store_id = held.store_id
    AND touched.source = held.source
  LEFT JOIN arrival
    ON arrival.tenant_id = held.tenant_id
    AND arrival.source = held.source
    AND arrival.document_key = held.document_key
    AND arrival.line_id = held.line_id
    AND arrival.in_total = held.in_total
    AND arrival.out_total = COALESCE(held.out_total, 0)
  WHERE held.business_date BETWEEN @from_date AND @to_date
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY
      held.tenant_id, held.store_id, held.source, held.device_id, held.line_id, held.occurred_at
    ORDER BY held.document_version DESC, held.source_object DESC, held.event_id
  ) = 1
),
spaced AS (
  SELECT
    *,
    TIMESTAMP_DIFF(received_at, occurred_at, SECOND) AS lag_s,
    TIMESTAMP_DIFF(
      received_at,
      LAG(received_at) OVER (PARTITION BY {line} ORDER BY received_at, occurred_at),
      SECOND
    ) AS since_s
  FROM reading
),
grouped AS (
  SELECT
    *,
    COUNT(IF(since_s > @together_s, 1, NULL)) OVER (
      PARTITION BY {line}
      ORDER BY received_at, occurred_at
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS sending
  FROM spaced
),
sent AS (
  -- The newest of what comes together was read when it was sent: its delay is the clock's.
  SELECT
    {line},
    sending,
    MIN(lag_s) AS lag_s,
    MIN(received_at) AS first_at,
    MAX(received_at) AS last_at
  FROM grouped
  GROUP BY {line}, sending
),
steady AS (
  -- Whether a sending has the delay of the one before, and comes in its rhythm, too.
  SELECT
    *,
    COALESCE(is_same AND first_at <= TIMESTAMP_ADD(
      before_at, INTERVAL LEAST(@rhythm_s, lag_s + @ahead_s) SECOND
    ), FALSE) AS is_steady
  FROM (
    SELECT
      *,
      LAG(last_at) OVER sendings AS before_at,
      COALESCE(ABS(lag_s - LAG(lag_s) OVER sendings) <= @jitter_s, FALSE) AS is_same
    FROM sent
    WINDOW sendings AS (PARTITION BY {line} ORDER BY sending)
  )
),
run AS (
  -- Three sendings in a row show how far a clock is behind.
  SELECT
    *,
    (is_steady AND (was_steady OR stays_steady)) OR (stays_steady AND goes_on_steady) AS is_run
  FROM (
    SELECT
      *,
      LAG(is_steady, 1, FALSE) OVER sendings AS was_steady,
      LEAD(is_steady, 1, FALSE) OVER sendings AS stays_steady,
      LEAD(is_steady, 2, FALSE) OVER sendings AS goes_on_steady
    FROM steady
    WINDOW sendings AS (PARTITION BY {line} ORDER BY sending)
  )
),
clock AS (
  -- One beside them that has their delay has their clock.
  SELECT
    *,
    CASE
      WHEN lag_s < -@ahead_s THEN lag_s
      WHEN lag_s BETWEEN @behind_s AND @longest_s
        AND (is_run OR (is_same AND was_run) OR (stays_same AND stays_run))
        THEN lag_s
      ELSE 0
    END AS offset_s
  FROM (
    SELECT
      *,
      LAG(is_run, 1, FALSE) OVER sendings AS was_run,
      LEAD(is_run, 1, FALSE) OVER sendings AS stays_run,
      LEAD(is_same, 1, FALSE) OVER sendings AS stays_same
    FROM run
    WINDOW sendings AS (PARTITION BY {line} ORDER BY sending)
  )
),
timed AS (
  SELECT
    grouped.*,
    TIMESTAMP_ADD(grouped.occurred_at, INTERVAL clock.offset_s SECOND) AS told_at
  FROM grouped
  INNER JOIN clock
    ON clock.tenant_id = grouped.tenant_id
    AND clock.store_id = grouped.store_id
    AND clock.source = grouped.source
    AND clock.device_id = grouped.device_id
    AND clock.line_id = grouped.line_id
    AND clock.sending = grouped.sending
),
ordered AS (
  -- Late: it tells an earlier moment than what came before it.
  SELECT
    *,
    COALESCE(
      told_at < MAX(told_at) OVER (
        PARTITION BY {line}
        ORDER BY received_at, occurred_at
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
      ),
      FALSE
    ) AS is_late
  FROM timed
),
prompt AS (
  SELECT
    *,
    IF(is_late, NULL, people) AS prompt_people,
    IF(is_late, NULL, told_at) AS prompt_at,
    COUNT(IF(NOT is_late, 1, NULL)) OVER (
      PARTITION BY {line}
      ORDER BY told_at, received_at
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS slot
  FROM ordered
),
beside AS (
  -- The nearest that are not late, by the clock and by arrival.
  SELECT
    *,
    LAST_VALUE(prompt_people IGNORE NULLS) OVER earlier AS earlier_people,
    FIRST_VALUE(prompt_people IGNORE NULLS) OVER later AS later_people,
    MAX(people) OVER (
      PARTITION BY {line}, slot ORDER BY told_at, received_at
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS slot_people,
    LAST_VALUE(prompt_people IGNORE NULLS) OVER came AS came_people,
    LAST_VALUE(prompt_at IGNORE NULLS) OVER came AS came_at,
    FIRST_VALUE(prompt_people IGNORE NULLS) OVER comes AS comes_people,
    FIRST_VALUE(prompt_at IGNORE NULLS) OVER comes AS comes_at
  FROM prompt
  WINDOW
    earlier AS (
      PARTITION BY {line} ORDER BY told_at, received_at
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ),
    later AS (
      PARTITION BY {line} ORDER BY told_at, received_at
      ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
    ),
    came AS (
      PARTITION BY {line} ORDER BY received_at, occurred_at
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ),
    comes AS (
      PARTITION BY {line} ORDER BY received_at, occurred_at
      ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
    )
),
weighed AS (
  SELECT
    *,
    -- Between two readings of which the later is lower the device began anew.
    CASE
      WHEN earlier_people > later_people
        THEN people >= earlier_people OR people <= later_people
      ELSE people >= COALESCE(slot_people, earlier_people, 0)
        AND people <= COALESCE(later_people, people)
    END AS fits_clock,
    CASE
      WHEN came_people > comes_people THEN people >= came_people OR people <= comes_people
      ELSE people >= COALESCE(came_people, 0) AND people <= COALESCE(comes_people, people)
    END AS fits_arrival
  FROM beside
),
placed AS (
  -- With nothing before it by the clock any total fits; arrival, where it fits, says more.
  SELECT
    *,
    is_late AND NOT fits_clock AND NOT fits_arrival AS is_misplaced,
    IF(
      is_late AND (NOT fits_clock OR (earlier_people IS NULL AND people != came_people
        AND fits_arrival)),
      LEAST(GREATEST(received_at, came_at), COALESCE(comes_at, GREATEST(received_at, came_at))),
      told_at
    ) AS judged_at
  FROM weighed
),
single AS (
  SELECT *
  FROM placed
  WHERE TRUE
  QUALIFY is_misplaced OR ROW_NUMBER() OVER (
    PARTITION BY {line}, is_misplaced, judged_at
    ORDER BY received_at DESC, occurred_at DESC
  ) = 1
),
edged AS (
  -- Where a stretch of readings of one total begins and ends.
  SELECT
    *,
    IF(people != LAG(people) OVER readings, LAG(people) OVER readings, NULL) AS edge_before,
    IF(people != LAG(people) OVER readings, LAG(judged_at) OVER readings, NULL) AS edge_before_at,
    IF(people != LEAD(people) OVER readings, LEAD(people) OVER readings, NULL) AS edge_next,
    IF(people != LEAD(people) OVER readings, LEAD(judged_at) OVER readings, NULL) AS edge_next_at
  FROM single
  WINDOW readings AS (PARTITION BY {line}, is_misplaced ORDER BY judged_at)
),
stretched AS (
  SELECT
    *,
    LAST_VALUE(edge_before IGNORE NULLS) OVER since AS before_people,
    LAST_VALUE(edge_before_at IGNORE NULLS) OVER since AS before_at,
    LAST_VALUE(IF(edge_before IS NULL, NULL, judged_at) IGNORE NULLS) OVER since AS began_at,
    FIRST_VALUE(edge_next IGNORE NULLS) OVER until AS next_people,
    FIRST_VALUE(edge_next_at IGNORE NULLS) OVER until AS next_at,
    FIRST_VALUE(IF(edge_next IS NULL, NULL, judged_at) IGNORE NULLS) OVER until AS ended_at
  FROM edged
  WINDOW
    since AS (
      PARTITION BY {line}, is_misplaced ORDER BY judged_at
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ),
    until AS (
      PARTITION BY {line}, is_misplaced ORDER BY judged_at
      ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
    )
),
risen AS (
  -- Whether more come in after a stretch than a line that began anew could count.
  SELECT
    *,
    COALESCE(
      (next_people - people) * 3600 > TIMESTAMP_DIFF(next_at, ended_at, SECOND) * @busiest
      AND TIMESTAMP_DIFF(next_at, ended_at, SECOND) <= @around_s,
      FALSE
    ) AS is_low
  FROM stretched
),
slipped AS (
  SELECT
    *,
    is_misplaced OR COALESCE(
      is_low
      AND people < before_people
      AND next_people >= before_people
      AND TIMESTAMP_DIFF(ended_at, began_at, SECOND) <= @rhythm_s
      AND TIMESTAMP_DIFF(next_at, before_at, SECOND) <= @longest_s,
      FALSE
    ) AS is_left_out
  FROM risen
),
counted AS (
  SELECT
    *,
    COUNT(IF(is_left_out, 1, NULL)) OVER (
      PARTITION BY {line}
      ORDER BY judged_at, received_at, occurred_at
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS left_out
  FROM slipped
)
SELECT
  {columns},
  told_by_device_at,
  left_out,
  is_low
FROM (
  SELECT * REPLACE (judged_at AS occurred_at), occurred_at AS told_by_device_at
  FROM counted
  WHERE NOT is_left_out
)
