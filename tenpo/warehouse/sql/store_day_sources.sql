-- The payloads that the current lines of one store-day came from, newest first.
WITH line AS (
  SELECT 'sale_line' AS event, source, source_object, document_key, local_hour, occurred_at, received_at
  FROM {dwh}.sale_line
  WHERE tenant_id = @tenant AND store_id = @store AND business_date = @day
  UNION ALL
  SELECT 'count_interval', source, source_object, document_key, local_hour, occurred_at, received_at
  FROM {dwh}.count_interval
  WHERE tenant_id = @tenant AND store_id = @store AND business_date = @day
  UNION ALL
  SELECT 'count_reading', source, source_object, document_key, local_hour, occurred_at, received_at
  FROM {dwh}.count_reading
  WHERE tenant_id = @tenant AND store_id = @store AND business_date = @day
  UNION ALL
  SELECT 'visit_event', source, source_object, document_key, local_hour, occurred_at, received_at
  FROM {dwh}.visit_event
  WHERE tenant_id = @tenant AND store_id = @store AND business_date = @day
),
payload AS (
  SELECT
    event,
    source,
    source_object,
    COUNT(*) AS line_count,
    COUNT(DISTINCT document_key) AS document_count,
    MIN(occurred_at) AS first_occurred_at,
    MAX(occurred_at) AS last_occurred_at,
    MAX(received_at) AS received_at
  FROM line
  WHERE event IN UNNEST(@events) AND local_hour BETWEEN @hour_from AND @hour_to
  GROUP BY event, source, source_object
)
SELECT *, COUNT(*) OVER () AS object_count
FROM payload
ORDER BY received_at DESC, source_object, event
LIMIT 100
