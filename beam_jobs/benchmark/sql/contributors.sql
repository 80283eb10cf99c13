-- Who was in each group when it was last released, by KPI, of the periods that are looked back at.
WITH published AS (
  SELECT DISTINCT run_id
  FROM {mart}.publication
  WHERE tenant_id = @everybody
    AND DATE(published_at) BETWEEN @published_from AND @published_to
)
SELECT DISTINCT
  part.industry,
  part.currency,
  part.size_band,
  part.kpi,
  part.tenant_id,
  part.store_count
FROM {mart}.benchmark_contributor AS part
INNER JOIN published ON published.run_id = part.run_id
WHERE part.grain = @grain
  AND part.period_from BETWEEN @date_from AND @date_to
QUALIFY DENSE_RANK() OVER (
  PARTITION BY part.industry, part.currency, part.size_band, part.kpi
  ORDER BY part.period_from DESC
) = 1
