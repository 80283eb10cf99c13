-- The rows a run wrote, each once (a retried bundle may have written them twice).
SELECT DISTINCT *
FROM {mart}.{table}
WHERE run_id = @run_id
  AND tenant_id = @tenant
  AND business_date BETWEEN @date_from AND @date_to
