-- Readings with the business date and local hour of the moments they are believed to be of.
CREATE OR REPLACE TABLE {staging}.{dated}
OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 DAY)) AS
SELECT moment.business_date, moment.hour_start_at, moment.local_hour, line.*
FROM {staging}.{judged} AS line
INNER JOIN {staging}.{moments} AS moment
  ON moment.tenant_id = line.tenant_id
  AND moment.store_id = line.store_id
  AND moment.hour_at = TIMESTAMP_TRUNC(line.occurred_at, HOUR)
  AND line.occurred_at BETWEEN moment.first_at AND moment.last_at
