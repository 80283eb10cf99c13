"""Draws a chain's raw tables as Parquet: vectorised, and the same from the same seed.

Receipts of three lines with returns, discounts, voids, corrections and repeats; two counters a
store that fall silent at times; visits of known persons, some of staff, some without an exit.
All stores are in Japan, which keeps one time all year: business time is not measured here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

TENANT = "bench"
LAST = date(2026, 10, 29)
#: Hours of opening, and how far the clock is ahead of UTC.
OPENS, CLOSES, AHEAD_H = 10, 21, 9
DEVICES = 2


@dataclass(frozen=True)
class World:
    """How large.

    Args:
        stores: how many.
        days: how many, the last of them `LAST`.
        lines: sale lines before corrections and repeats.
        visits: visits, of two events each.
        interval_s: length of the counters' intervals.
        seed: makes other figures.
    """

    stores: int
    days: int
    lines: int
    visits: int
    interval_s: int = 600
    seed: int = 1

    @property
    def first(self) -> date:
        """The first business date."""
        return LAST - timedelta(days=self.days - 1)

    @property
    def variables(self) -> str:
        """Statements that give the numbers to those below."""
        numbers = {
            "stores": self.stores, "days": self.days, "seed": self.seed,
            "receipts": self.lines // 3, "visits": self.visits,
            "slots": 86_400 // self.interval_s, "slot_s": self.interval_s,
        }  # fmt: skip
        told = [f"SET VARIABLE {name} = {value};" for name, value in numbers.items()]
        told.append(
            f"SET VARIABLE first = TIMESTAMP '{self.first} 00:00:00' - INTERVAL {AHEAD_H} HOUR;"
        )
        told.append(f"SET VARIABLE opens = {OPENS}; SET VARIABLE closes = {CLOSES};")
        told.append(f"SET VARIABLE ahead = {AHEAD_H}; SET VARIABLE devices = {DEVICES};")
        return "\n".join(told)


_COMMON = """
CREATE MACRO store_name(n) AS 's' || lpad(n::VARCHAR, 4, '0');
CREATE MACRO moment(day, s) AS
  getvariable('first') + to_days(day::INTEGER) + to_seconds(s::INTEGER);
-- What arrived one day after another: the load, when, and the sealed object behind it.
CREATE MACRO load_name(event, day) AS event || '-' || lpad(day::VARCHAR, 5, '0');
CREATE MACRO arrived_at(day) AS getvariable('first') + to_days(day::INTEGER + 1) + INTERVAL 3 HOUR;
"""

SALES = """
COPY (
  WITH receipt AS (
    SELECT i, i % getvariable('stores') AS store,
      i * getvariable('days') // getvariable('receipts') AS day,
      hash(i, getvariable('seed')) AS h
    FROM range(getvariable('receipts')) AS r(i)
  ),
  sending AS (  -- as sent first; corrected the day after, a line less; sent twice
    SELECT *, 1 AS version, 3 AS lines, day AS load FROM receipt
    UNION ALL
    SELECT *, 2 AS version, 2 AS lines, day + 1 AS load FROM receipt WHERE h % 50 = 0
    UNION ALL
    SELECT *, 1 AS version, 3 AS lines, day + 1 AS load FROM receipt WHERE h % 100 = 1
  ),
  line AS (
    SELECT *, hash(h, n, version) AS g,
      CASE WHEN n > 0 AND hash(h, n) % 30 = 0 THEN 'return'
        WHEN n > 0 AND hash(h, n) % 30 = 1 THEN 'discount'
        WHEN hash(h, n) % 100 = 7 THEN 'void' ELSE 'sale' END AS kind
    FROM sending, range(3) AS l(n)
    WHERE n < lines
  ),
  priced AS (
    SELECT *, (100 + g % 4900)::DECIMAL(38, 9) AS unit_price,
      CASE kind WHEN 'return' THEN -1 WHEN 'discount' THEN 1 ELSE 1 + g % 3 END AS quantity
    FROM line
  )
  SELECT md5(i || '|' || n) AS event_id, 'bench' AS tenant_id, store_name(store) AS store_id,
    'till' AS source, '1' AS adapter_version,
    'raw/bench/sale_line/' || lpad(load::VARCHAR, 5, '0') AS source_object,
    i || '/' || n AS source_position, store_name(store) || '|' || i AS document_key,
    version AS document_version,
    moment(day, getvariable('opens') * 3600 + (h % 46800)::INTEGER) AS occurred_at,
    arrived_at(load) AS received_at, i::VARCHAR AS receipt_id,
    (h % 4 + 1)::VARCHAR AS register_id, n + 1 AS line_number, kind,
    NULL::VARCHAR AS original_receipt_id, 'A' || (g % 3000) AS sku, 'C' || (g % 12) AS category,
    quantity::DECIMAL(38, 9) AS quantity, unit_price,
    CASE kind WHEN 'discount' THEN -(g % 50)::DECIMAL(38, 9)
      ELSE (unit_price * quantity::BIGINT)::DECIMAL(38, 9) END AS gross_amount,
    round(gross_amount / 1.1)::DECIMAL(38, 9) AS net_amount,
    (gross_amount - net_amount)::DECIMAL(38, 9) AS tax_amount, 0.1::DECIMAL(38, 9) AS tax_rate,
    'JPY' AS currency, NULL::VARCHAR AS customer_key, NULL::VARCHAR AS staff_key,
    NULL::BOOLEAN AS is_retraction, arrived_at(load) AS ingested_at,
    load_name('sale_line', load) AS load_id
  FROM priced
) TO 'sale_line.parquet' (FORMAT parquet, COMPRESSION zstd);
"""

COUNTS = """
COPY (
  WITH slot AS (
    SELECT store, day, device, slot,
      hash(store, day, device, slot, getvariable('seed')) AS h,
      slot * getvariable('slot_s') // 3600 AS hour
    FROM range(getvariable('days')) AS d(day), range(getvariable('stores')) AS s(store),
      range(getvariable('devices')) AS v(device), range(getvariable('slots')) AS t(slot)
  ),
  told AS (  -- silent for two hours at times, and for one interval
    SELECT *, hour >= getvariable('opens') AND hour < getvariable('closes') AS is_open FROM slot
    WHERE hash(store, day, device, hour // 2, getvariable('seed')) % 40 > 0 AND h % 200 > 0
  ),
  sending AS (
    SELECT *, 1 AS version, day AS load FROM told
    UNION ALL SELECT *, 2, day + 1 FROM told WHERE h % 100 = 1
    UNION ALL SELECT *, 1, day + 1 FROM told WHERE h % 100 = 2
  ),
  counted AS (
    SELECT *, CASE WHEN is_open THEN h // 256 % 12 + version - 1
      ELSE (h // 256 % 50 = 0)::INTEGER END AS entered,
      CASE WHEN is_open THEN h // 65536 % 12 ELSE (h // 65536 % 50 = 0)::INTEGER END AS gone
    FROM sending
  )
  SELECT md5(store || '|' || device || '|' || day || '|' || slot) AS event_id,
    'bench' AS tenant_id, store_name(store) AS store_id, 'counter' AS source,
    '1' AS adapter_version,
    'raw/bench/count_interval/' || lpad(load::VARCHAR, 5, '0') AS source_object,
    store || '/' || slot AS source_position,
    store_name(store) || '-' || device || '|' || day || '|' || slot AS document_key,
    version AS document_version, moment(day, slot * getvariable('slot_s')) AS occurred_at,
    arrived_at(load) AS received_at, store_name(store) || '-' || device AS device_id,
    '1' AS line_id, moment(day, (slot + 1) * getvariable('slot_s')) AS interval_end_at,
    entered AS in_count, gone AS out_count, NULL::BIGINT AS pass_count,
    least(entered, (h % 10 = 0)::INTEGER) AS staff_in_count, NULL::BIGINT AS staff_out_count,
    NULL::BIGINT AS child_in_count, NULL::BIGINT AS group_in_count,
    NULL::BOOLEAN AS is_retraction, arrived_at(load) AS ingested_at,
    load_name('count_interval', load) AS load_id
  FROM counted
) TO 'count_interval.parquet' (FORMAT parquet, COMPRESSION zstd);
"""

VISITS = """
COPY (
  WITH visit AS (
    SELECT i, i % getvariable('stores') AS store,
      i * getvariable('days') // getvariable('visits') AS day,
      hash(i, getvariable('seed')) AS h
    FROM range(getvariable('visits')) AS r(i)
  ),
  event AS (
    SELECT *, getvariable('opens') * 3600 + h % 36000 AS entered_s,
      60 + h // 65536 % 3600 AS stay_s,
      unnest(CASE WHEN h % 20 = 0 THEN ['enter'] ELSE ['enter', 'exit'] END) AS kind
    FROM visit
  ),
  sending AS (
    SELECT *, day AS load FROM event
    UNION ALL SELECT *, day + 1 FROM event WHERE h % 100 = 3
  )
  SELECT md5(i || '|' || kind) AS event_id, 'bench' AS tenant_id, store_name(store) AS store_id,
    'video' AS source, '1' AS adapter_version,
    'raw/bench/visit_event/' || lpad(load::VARCHAR, 5, '0') AS source_object,
    i::VARCHAR AS source_position, 'visit|' || i AS document_key, 1 AS document_version,
    moment(day, (entered_s + CASE kind WHEN 'exit' THEN stay_s ELSE 0 END)::INTEGER) AS occurred_at,
    arrived_at(load) AS received_at, store_name(store) || '-c' AS camera_id,
    NULL::VARCHAR AS zone_id, i::VARCHAR AS track_id, kind,
    'p' || (h // 1048576 % 3000) AS person_id, 0.9::DOUBLE AS match_score, 0.8::DOUBLE AS quality,
    h // 1048576 % 3000 < 60 AND h % 3 = 0 AS is_staff, 'bench' AS detector,
    0::BIGINT AS dropped_frame_count, NULL::BOOLEAN AS is_retraction,
    arrived_at(load) AS ingested_at, load_name('visit_event', load) AS load_id
  FROM sending
) TO 'visit_event.parquet' (FORMAT parquet, COMPRESSION zstd);
"""

EVENTS = {"sale_line": SALES, "count_interval": COUNTS, "visit_event": VISITS}


def statements(world: World) -> str:
    """What draws the world into `<event>.parquet` of the working folder."""
    return "\n".join([world.variables, _COMMON, *EVENTS.values()])
