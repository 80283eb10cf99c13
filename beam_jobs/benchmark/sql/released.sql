-- Periods that were released.
WITH published AS (
  SELECT DISTINCT run_id
  FROM {mart}.publication
  WHERE tenant_id = @everybody
    AND DATE(published_at) BETWEEN @published_from AND @published_to
)
SELECT DISTINCT past.grain, past.period_from
FROM {mart}.benchmark_release AS past
INNER JOIN published ON published.run_id = past.run_id
WHERE past.period_from BETWEEN @date_from AND @date_to
