-- The staged stretches in place of all that their timezones had. A row to insert has no
-- match_timezone and so matches nothing.
MERGE {dwh}.timezone_offset AS t
USING (
  SELECT 'insert' AS op, CAST(NULL AS STRING) AS match_timezone, *
  FROM {staging}.{stage}
  UNION ALL
  SELECT 'delete' AS op, timezone AS match_timezone, *
  FROM {staging}.{stage}
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (PARTITION BY timezone ORDER BY from_at) = 1
) AS s
ON t.timezone = s.match_timezone
WHEN MATCHED THEN
  DELETE
WHEN NOT MATCHED BY TARGET AND s.op = 'insert' THEN
  INSERT (timezone, from_at, until_at, offset_s, previous_offset_s)
  VALUES (s.timezone, s.from_at, s.until_at, s.offset_s, s.previous_offset_s)
