-- The lines of the contested documents that win in place of all lines those documents had,
-- wherever the index says that they may lie, between two dates. A line to insert has no
-- match_date and so matches nothing. The join with nothing gives the keys to delete the columns
-- of a line, all null.
MERGE {target} AS t
USING (
  SELECT 'insert' AS op, CAST(NULL AS DATE) AS match_date, line.*
  FROM {staging}.{lines} AS line
  INNER JOIN (
    SELECT DISTINCT tenant_id, source, document_key
    FROM {staging}.{documents}
    WHERE op = 'new'
  ) AS winner
    ON winner.tenant_id = line.tenant_id
    AND winner.source = line.source
    AND winner.document_key = line.document_key
  WHERE line.is_retraction IS NOT TRUE AND line.business_date BETWEEN @first AND @last
  UNION ALL
  SELECT
    'delete' AS op,
    place.business_date AS match_date,
    nothing.* REPLACE (
      place.tenant_id AS tenant_id,
      place.source AS source,
      place.document_key AS document_key
    )
  FROM (
    SELECT DISTINCT tenant_id, source, document_key, business_date
    FROM {staging}.{documents}
    WHERE op IN ('new', 'old') AND business_date BETWEEN @first AND @last
  ) AS place
  LEFT JOIN (SELECT * FROM {staging}.{lines} WHERE FALSE) AS nothing
    ON nothing.document_key = place.document_key
) AS s
ON t.business_date BETWEEN @first AND @last
  AND t.business_date = s.match_date
  AND t.tenant_id = s.tenant_id
  AND t.source = s.source
  AND t.document_key = s.document_key
WHEN MATCHED THEN
  DELETE
WHEN NOT MATCHED BY TARGET AND s.op = 'insert' THEN
  INSERT ({columns})
  VALUES ({values})
