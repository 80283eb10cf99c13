"""The same figures by plain DuckDB, from the same Parquet: what the platform is measured against.

Written from the definitions (docs/kpis.md, docs/analyst.md) and not from the platform's own SQL,
for the one business time that `bench.kpi_world` draws. Nothing is kept up: no revisions, no
readings, no other tenants, no late events.
"""

from __future__ import annotations

from bench.kpi_world import World

#: Of each document the lines of its highest version, each line once.
_CURRENT = """
CREATE TEMP VIEW {event}_current AS
  WITH newest AS (
    SELECT *
    FROM read_parquet('{event}.parquet')
    QUALIFY rank() OVER (
      PARTITION BY source, document_key ORDER BY document_version DESC, source_object DESC) = 1
  )
  SELECT *, CAST(occurred_at + to_hours(getvariable('ahead')) AS DATE) AS business_date,
    date_trunc('hour', occurred_at) AS hour_start_at
  FROM newest
  QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY source_position DESC) = 1;
"""

_GRID = """
CREATE TEMP TABLE grid AS
  SELECT store_id, business_date, business_date::TIMESTAMP + to_hours(h::INTEGER)
      - to_hours(getvariable('ahead')) AS hour_start_at,
    h AS local_hour,
    3600 * (h >= getvariable('opens') AND h < getvariable('closes'))::INTEGER AS open_s
  FROM (SELECT DISTINCT store_id FROM read_parquet('count_interval.parquet')) AS stores,
    (SELECT CAST(getvariable('first') + to_hours(getvariable('ahead')) + to_days(d::INTEGER)
       AS DATE) AS business_date FROM range(getvariable('days')) AS r(d)) AS dates,
    range(24) AS hours(h);
"""

_SALES = """
CREATE TEMP TABLE sales AS
  WITH receipt AS (
    SELECT store_id, business_date, source, document_key, min(hour_start_at) AS hour_start_at,
      count(*) AS sale_lines, bool_or(kind = 'sale') AS sells, bool_or(kind = 'return') AS returns,
      coalesce(sum(net_amount) FILTER (kind IN ('sale', 'return', 'discount')), 0) AS net,
      coalesce(sum(gross_amount) FILTER (kind IN ('sale', 'return', 'discount')), 0) AS gross,
      coalesce(sum(net_amount) FILTER (kind = 'sale'), 0) AS sold,
      coalesce(sum(-net_amount) FILTER (kind = 'return'), 0) AS returned,
      coalesce(sum(quantity) FILTER (kind IN ('sale', 'return')), 0) AS units
    FROM sale_line_current
    GROUP BY ALL
  )
  SELECT store_id, business_date, hour_start_at,
    count(*) FILTER (sells AND net > 0) AS transactions,
    count(*) FILTER (returns) AS return_receipts, sum(sale_lines) AS sale_lines,
    sum(net) AS net_sales_amount, sum(gross) AS gross_sales_amount, sum(sold) AS sold_net_amount,
    sum(returned) AS returned_net_amount, sum(sold) - sum(returned) AS merchandise_net_amount,
    sum(units) AS units
  FROM receipt
  GROUP BY ALL;
"""

_COUNTS = """
CREATE TEMP TABLE interval AS
  SELECT store_id, business_date, hour_start_at, device_id, occurred_at AS start_at,
    interval_end_at AS end_at, in_count, out_count, coalesce(staff_in_count, 0) AS staff,
    business_date::TIMESTAMP - to_hours(getvariable('ahead')) AS midnight
  FROM count_interval_current;
CREATE TEMP TABLE counts AS
  SELECT store_id, business_date, hour_start_at, sum(in_count) AS in_count,
    sum(out_count) AS out_count,
    sum(CASE WHEN start_at >= midnight + to_hours(getvariable('opens'))
        AND start_at < midnight + to_hours(getvariable('closes'))
      THEN in_count - staff ELSE 0 END) AS footfall
  FROM interval
  GROUP BY ALL;
-- Intervals do not cross hours here: a slot is covered where every device told it.
CREATE TEMP TABLE covered AS
  SELECT store_id, business_date, hour_start_at,
    count(*) * getvariable('slot_s') AS covered_s
  FROM (
    SELECT store_id, business_date, hour_start_at, start_at
    FROM interval
    GROUP BY ALL
    HAVING count(DISTINCT device_id) = getvariable('devices')
  )
  GROUP BY ALL;
"""

_OCCUPANCY = """
CREATE TEMP TABLE step AS
  SELECT store_id, business_date,
    date_trunc('hour', end_at - INTERVAL 1 MICROSECOND) AS hour_start_at,
    end_at - INTERVAL 1 MICROSECOND AS stamp, in_count - out_count AS delta,
    in_count + out_count AS moved, 1 AS told, 0 AS open_s
  FROM interval
  UNION ALL
  SELECT store_id, business_date, hour_start_at, hour_start_at, 0, 0, 0, open_s FROM grid;
CREATE TEMP TABLE quiet AS
  WITH hourly AS (
    SELECT store_id, business_date, hour_start_at, sum(delta) AS delta, sum(moved) AS moved,
      sum(told) AS told, sum(open_s) AS open_s, max(stamp) FILTER (told > 0) AS last_stamp
    FROM step GROUP BY ALL
  ),
  day AS (
    SELECT *, max(last_stamp) OVER d + INTERVAL 1 MICROSECOND AS told_until,
      coalesce(sum(delta) OVER (d ORDER BY hour_start_at ROWS BETWEEN UNBOUNDED PRECEDING
        AND 1 PRECEDING), 0) AS before
    FROM hourly WINDOW d AS (PARTITION BY store_id, business_date)
  )
  SELECT store_id, business_date, told_until, before
  FROM day
  QUALIFY row_number() OVER (PARTITION BY store_id, business_date ORDER BY
    CASE WHEN open_s > 0 AND told > 0 AND hour_start_at + INTERVAL 1 HOUR <= told_until THEN 0
      WHEN open_s = 0 AND hour_start_at <= told_until THEN 0
      WHEN told > 0 THEN 1 ELSE 2 END, moved, hour_start_at) = 1;
CREATE TEMP TABLE occupied AS
  WITH walked AS (
    SELECT step.*, told_until, before,
      business_date::TIMESTAMP + to_hours(getvariable('opens') - getvariable('ahead')) AS opened,
      business_date::TIMESTAMP + to_hours(getvariable('closes') - getvariable('ahead')) AS closed,
      greatest(0, sum(delta) OVER w - before)::BIGINT AS inside, lead(stamp) OVER w AS next_stamp
    FROM step JOIN quiet USING (store_id, business_date)
    WINDOW w AS (PARTITION BY store_id, business_date ORDER BY stamp, delta
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
  ),
  timed AS (
    SELECT *, greatest(0, epoch_us(least(coalesce(next_stamp, closed), closed))
      - epoch_us(greatest(stamp, opened))) AS open_us
    FROM walked
  )
  SELECT store_id, business_date, hour_start_at,
    (sum(inside * open_us)::BIGINT + 500000) // 1000000 AS person_s,
    CASE WHEN any_value(told_until) >= any_value(closed) THEN sum(delta) END AS drift,
    max(inside) FILTER (open_us > 1) AS peak
  FROM timed
  GROUP BY ALL;
"""

_VISITS = """
CREATE TEMP TABLE seen AS
  SELECT store_id, business_date, person_id, hour_start_at, occurred_at AS stamp, kind
  FROM visit_event_current
  WHERE person_id IS NOT NULL AND kind <> 'pass'
  QUALIFY NOT bool_or(coalesce(is_staff, false))
    OVER (PARTITION BY store_id, business_date, person_id);
CREATE TEMP TABLE visited AS
  WITH ordered AS (
    SELECT *, row_number() OVER p AS place, lag(stamp) OVER p AS last_stamp,
      lag(kind) OVER p AS last_kind
    FROM seen
    WINDOW p AS (PARTITION BY store_id, business_date, person_id
      ORDER BY stamp, list_position(['enter', 'zone_enter', 'zone_exit', 'exit'], kind))
  ),
  begun AS (
    SELECT *, coalesce(stamp - last_stamp > INTERVAL 3 HOUR
      AND (last_kind = 'exit' OR kind = 'enter'), true) AS new_visit
    FROM ordered
  ),
  numbered AS (
    SELECT *, sum(new_visit::INTEGER) OVER p AS visit,
      sum((new_visit OR last_kind = 'exit' OR kind = 'enter')::INTEGER) OVER p AS stay
    FROM begun
    WINDOW p AS (PARTITION BY store_id, business_date, person_id ORDER BY place)
  ),
  stay AS (
    SELECT store_id, business_date, person_id, visit, stay, min(hour_start_at) AS hour_start_at,
      arg_min(kind, place) = 'enter' AND arg_max(kind, place) = 'exit' AS whole,
      epoch_us(max(stamp)) - epoch_us(min(stamp)) AS us
    FROM numbered GROUP BY ALL
  ),
  visit AS (
    SELECT store_id, business_date, person_id, visit, min(hour_start_at) AS hour_start_at,
      CASE WHEN bool_and(whole) THEN sum(us)::BIGINT // 1000000 END AS dwell_s
    FROM stay GROUP BY ALL
  ),
  known AS (
    SELECT store_id, person_id, business_date, coalesce(business_date - lag(business_date) OVER (
      PARTITION BY store_id, person_id ORDER BY business_date) <= 30, false) AS is_back
    FROM (SELECT DISTINCT store_id, person_id, business_date FROM seen)
  )
  SELECT store_id, business_date, hour_start_at, count(*) AS visits,
    sum((visit > 1 OR is_back)::INTEGER) AS repeat_visits, count(dwell_s) AS dwell_visits,
    coalesce(sum(dwell_s), 0) AS dwell_total_s
  FROM visit JOIN known USING (store_id, person_id, business_date)
  GROUP BY ALL;
"""

_HOURS = """
CREATE TEMP TABLE hour AS
  WITH joined AS (
    SELECT grid.*, sales.* EXCLUDE (store_id, business_date, hour_start_at),
      counts.* EXCLUDE (store_id, business_date, hour_start_at), coalesce(covered_s, 0) AS told_s,
      person_s, drift, peak, visited.* EXCLUDE (store_id, business_date, hour_start_at),
      count(sales.sale_lines) OVER d > 0 AS sells, count(visited.visits) OVER d > 0 AS has_visits,
      sales.store_id IS NOT NULL OR counts.store_id IS NOT NULL OR visited.store_id IS NOT NULL
        OR open_s > 0 AS wanted
    FROM grid
    LEFT JOIN sales USING (store_id, business_date, hour_start_at)
    LEFT JOIN counts USING (store_id, business_date, hour_start_at)
    LEFT JOIN covered USING (store_id, business_date, hour_start_at)
    LEFT JOIN occupied USING (store_id, business_date, hour_start_at)
    LEFT JOIN visited USING (store_id, business_date, hour_start_at)
    WINDOW d AS (PARTITION BY grid.store_id, grid.business_date)
  ),
  filled AS (
    SELECT * REPLACE (
        CASE WHEN sells THEN coalesce(transactions, 0) END AS transactions,
        CASE WHEN sells THEN coalesce(return_receipts, 0) END AS return_receipts,
        CASE WHEN sells THEN coalesce(sale_lines, 0) END AS sale_lines,
        CASE WHEN sells THEN coalesce(net_sales_amount, 0) END AS net_sales_amount,
        CASE WHEN sells THEN coalesce(gross_sales_amount, 0) END AS gross_sales_amount,
        CASE WHEN sells THEN coalesce(sold_net_amount, 0) END AS sold_net_amount,
        CASE WHEN sells THEN coalesce(returned_net_amount, 0) END AS returned_net_amount,
        CASE WHEN sells THEN coalesce(merchandise_net_amount, 0) END AS merchandise_net_amount,
        CASE WHEN sells THEN coalesce(units, 0) END AS units,
        CASE WHEN has_visits THEN coalesce(visits, 0) END AS visits,
        CASE WHEN has_visits THEN coalesce(repeat_visits, 0) END AS repeat_visits,
        CASE WHEN has_visits THEN coalesce(dwell_visits, 0) END AS dwell_visits,
        CASE WHEN has_visits THEN coalesce(dwell_total_s, 0) END AS dwell_total_s),
      CASE WHEN open_s > 0 THEN told_s ELSE 0 END AS covered_s,
      open_s > 0 AND 2 * told_s >= open_s AS is_covered
    FROM joined WHERE wanted
  )
  SELECT store_id, business_date, hour_start_at, local_hour, in_count, out_count, footfall,
    transactions, return_receipts, sale_lines, net_sales_amount, gross_sales_amount,
    sold_net_amount, returned_net_amount, merchandise_net_amount, units,
    CASE WHEN is_covered THEN footfall END AS covered_footfall,
    CASE WHEN is_covered THEN transactions END AS covered_transactions,
    CASE WHEN is_covered THEN net_sales_amount END AS covered_net_sales_amount,
    open_s, open_s AS expected_s, covered_s, 0 AS imputed_s, visits, repeat_visits, dwell_visits,
    dwell_total_s, CASE WHEN is_covered THEN person_s END AS occupancy_person_s,
    CASE WHEN is_covered AND person_s IS NOT NULL THEN open_s END AS occupancy_open_s,
    drift AS drift_count, CASE WHEN is_covered AND person_s IS NOT NULL THEN peak END
      AS occupancy_peak
  FROM filled;
COPY (SELECT * REPLACE (NULL::BIGINT AS drift_count) FROM hour)
  TO 'plain_hour.parquet' (FORMAT parquet, COMPRESSION zstd);
COPY (
  SELECT store_id, business_date,
    sum(COLUMNS(* EXCLUDE (store_id, business_date, hour_start_at, local_hour, occupancy_peak)))
      AS "\\0",
    max(occupancy_peak) AS occupancy_peak
  FROM hour GROUP BY ALL
) TO 'plain_day.parquet' (FORMAT parquet, COMPRESSION zstd);
"""


def statements(world: World) -> str:
    """What computes `plain_hour.parquet` and `plain_day.parquet` in the working folder."""
    events = ("sale_line", "count_interval", "visit_event")
    current = [_CURRENT.replace("{event}", event) for event in events]
    steps = (_GRID, _SALES, _COUNTS, _OCCUPANCY, _VISITS, _HOURS)
    return "\n".join([world.variables, *current, *steps])
