-- Each sending of a document among the loads, and on which store-days its lines lie.
CREATE OR REPLACE TABLE {staging}.{sendings}
OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 DAY)) AS
SELECT
  line.tenant_id,
  line.source,
  line.document_key,
  MOD(
    CAST(
      CONCAT(
        '0x',
        SUBSTR(
          TO_HEX(MD5(CONCAT(line.tenant_id, ' ', line.source, ' ', line.document_key))), 1, 8
        )
      ) AS INT64
    ),
    1000
  ) AS bucket,
  line.document_version,
  line.source_object,
  line.store_id,
  moment.business_date,
  COUNTIF(line.is_retraction IS NOT TRUE) AS line_count
FROM {raw_table} AS line
INNER JOIN {staging}.{moments} AS moment
  ON moment.tenant_id = line.tenant_id
  AND moment.store_id = line.store_id
  AND moment.hour_at = TIMESTAMP_TRUNC(line.occurred_at, HOUR)
  AND line.occurred_at BETWEEN moment.first_at AND moment.last_at
WHERE line.ingested_at >= @from_at
  AND line.ingested_at < @to_at
  AND (@every_load OR line.load_id IN UNNEST(@load_ids))
GROUP BY
  line.tenant_id, line.source, line.document_key, line.document_version, line.source_object,
  line.store_id, moment.business_date
