-- Sendings that do not simply go to dwh: `contested` ones, whose document the index knows or of
-- which a line was loaded more than once, and others that a later sending of the same loads
-- supersedes.
CREATE OR REPLACE TABLE {staging}.{aside}
OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 DAY)) AS
WITH contested AS (
  SELECT tenant_id, source, document_key
  FROM (
    SELECT tenant_id, source, document_key
    FROM {raw_table}
    WHERE ingested_at >= @from_at
      AND ingested_at < @to_at
      AND (@every_load OR load_id IN UNNEST(@load_ids))
    GROUP BY tenant_id, source, document_key, document_version, source_object, event_id
    HAVING COUNT(*) > 1
  ) AS repeated
  UNION ALL
  SELECT tenant_id, source, document_key
  FROM {dwh}.document
  WHERE bucket IN UNNEST(@buckets) AND event = @event
),
several AS (
  SELECT tenant_id, source, document_key
  FROM {staging}.{sendings}
  GROUP BY tenant_id, source, document_key
  HAVING MIN(document_version) < MAX(document_version)
    OR MIN(source_object) < MAX(source_object)
),
ranked AS (
  SELECT
    sending.*,
    RANK() OVER (
      PARTITION BY sending.tenant_id, sending.source, sending.document_key
      ORDER BY sending.document_version DESC, sending.source_object DESC
    ) AS place
  FROM {staging}.{sendings} AS sending
  INNER JOIN several
    ON several.tenant_id = sending.tenant_id
    AND several.source = sending.source
    AND several.document_key = sending.document_key
)
SELECT DISTINCT
  sending.tenant_id, sending.source, sending.document_key, sending.bucket,
  sending.document_version, sending.source_object, TRUE AS is_contested
FROM {staging}.{sendings} AS sending
LEFT JOIN contested
  ON contested.tenant_id = sending.tenant_id
  AND contested.source = sending.source
  AND contested.document_key = sending.document_key
WHERE @every_document OR contested.document_key IS NOT NULL
UNION ALL
SELECT DISTINCT
  ranked.tenant_id, ranked.source, ranked.document_key, ranked.bucket,
  ranked.document_version, ranked.source_object, FALSE AS is_contested
FROM ranked
LEFT JOIN contested
  ON contested.tenant_id = ranked.tenant_id
  AND contested.source = ranked.source
  AND contested.document_key = ranked.document_key
WHERE ranked.place > 1 AND contested.document_key IS NULL AND NOT @every_document
