-- Deletes the rows of the staged keys and inserts the staged rows, in one statement. A row
-- to insert has no match_day, so it matches nothing; all conditions are plain equalities,
-- which BigQuery and its stand-in both turn into a hash join.
MERGE {target} AS t
USING (
  SELECT *, IF(op = 'delete', {day}, NULL) AS match_day
  FROM {staging}.{stage}
) AS s
ON t.{day} BETWEEN @first AND @last
  AND t.{day} = s.match_day
  AND {same_key}
WHEN MATCHED THEN
  DELETE
WHEN NOT MATCHED BY TARGET AND s.op = 'insert' THEN
  INSERT ({columns})
  VALUES ({values})
