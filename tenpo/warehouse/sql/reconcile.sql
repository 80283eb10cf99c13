-- Raw rows of a tenant sorted by what became of them.
WITH held AS (
  SELECT DISTINCT event_id
  FROM {dwh_table}
  WHERE tenant_id = @tenant_id AND business_date BETWEEN DATE '0001-01-01' AND DATE '9999-12-31'
),
received AS (
  SELECT event_id, COUNT(*) AS sendings
  FROM {raw_table}
  WHERE tenant_id = @tenant_id AND ingested_at >= TIMESTAMP '0001-01-01 00:00:00+00'
  GROUP BY event_id
)
SELECT
  COALESCE(SUM(received.sendings), 0) AS accepted,
  COUNTIF(received.event_id IS NOT NULL AND held.event_id IS NOT NULL) AS current_rows,
  COALESCE(SUM(IF(held.event_id IS NOT NULL, received.sendings - 1, 0)), 0) AS duplicate,
  COALESCE(SUM(IF(held.event_id IS NULL, received.sendings, 0)), 0) AS superseded,
  COUNTIF(received.event_id IS NULL) AS orphaned
FROM received
FULL OUTER JOIN held
  ON held.event_id = received.event_id
