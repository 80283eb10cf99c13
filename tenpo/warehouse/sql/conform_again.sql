-- The held lines of every document that has lines in these stores, as raw had them.
CREATE OR REPLACE TABLE {staging}.{again}
OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 DAY)) AS
SELECT {columns}, CAST(NULL AS BOOL) AS is_retraction
FROM {dwh_table} AS line
INNER JOIN (
  SELECT DISTINCT source, document_key
  FROM {dwh_table}
  WHERE tenant_id = @tenant_id
    AND store_id IN UNNEST(@store_ids)
    AND business_date BETWEEN DATE '0001-01-01' AND DATE '9999-12-31'
) AS place
  ON place.source = line.source AND place.document_key = line.document_key
WHERE line.tenant_id = @tenant_id
  AND line.business_date BETWEEN DATE '0001-01-01' AND DATE '9999-12-31'
