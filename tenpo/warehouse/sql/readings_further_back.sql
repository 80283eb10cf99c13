-- Whether anything lies further back than was looked, of the lines of which it matters.
WITH line AS (
  SELECT DISTINCT {line}
  FROM {staging}.{changes}
  WHERE op = 'first'
),
further_back AS (
  SELECT {line}
  FROM {dwh}.count_reading
  WHERE business_date BETWEEN @from_date AND @to_date
    AND occurred_at < @before
  UNION ALL
  SELECT {line}
  FROM {dwh}.reading_interval
  WHERE business_date BETWEEN @from_date AND @to_date
    AND start_at < @before
)
SELECT COUNT(*) > 0 AS is_there
FROM further_back
INNER JOIN line
  ON line.tenant_id = further_back.tenant_id
  AND line.store_id = further_back.store_id
  AND line.source = further_back.source
  AND line.device_id = further_back.device_id
  AND line.line_id = further_back.line_id
