-- The clusters of a chain's last published run that knew less than this one: a run that is
-- shown again is published again, so after going back it is that run.
WITH published AS (
  SELECT run_id, MAX(published_at) AS published_at
  FROM {mart}.publication
  WHERE tenant_id = @tenant
    AND DATE(published_at) BETWEEN @published_from AND @published_to
  GROUP BY run_id
)
SELECT DISTINCT
  cluster.store_id,
  cluster.cluster_id
FROM {mart}.store_cluster AS cluster
INNER JOIN published ON published.run_id = cluster.run_id
WHERE cluster.tenant_id = @tenant
  AND cluster.as_of_date BETWEEN @date_from AND @date_to
  AND cluster.currency = @currency
  AND cluster.cluster_id IS NOT NULL
QUALIFY DENSE_RANK() OVER (ORDER BY published.published_at DESC, cluster.run_id) = 1
