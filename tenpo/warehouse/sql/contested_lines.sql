-- The lines of contested documents: of each its highest version, of each line one.
CREATE OR REPLACE TABLE {staging}.{lines}
OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 DAY)) AS
WITH newest AS (
  SELECT line.*, aside.bucket
  FROM {raw_table} AS line
  INNER JOIN {staging}.{aside} AS aside
    ON aside.tenant_id = line.tenant_id
    AND aside.source = line.source
    AND aside.document_key = line.document_key
    AND aside.document_version = line.document_version
    AND aside.source_object = line.source_object
  WHERE aside.is_contested
    AND line.ingested_at >= @from_at
    AND line.ingested_at < @to_at
    AND (@every_load OR line.load_id IN UNNEST(@load_ids))
  QUALIFY RANK() OVER (
    PARTITION BY line.tenant_id, line.source, line.document_key
    ORDER BY line.document_version DESC, line.source_object DESC
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
)
SELECT moment.business_date, moment.hour_start_at, moment.local_hour, line.*
FROM line
INNER JOIN {staging}.{moments} AS moment
  ON moment.tenant_id = line.tenant_id
  AND moment.store_id = line.store_id
  AND moment.hour_at = TIMESTAMP_TRUNC(line.occurred_at, HOUR)
  AND line.occurred_at BETWEEN moment.first_at AND moment.last_at
