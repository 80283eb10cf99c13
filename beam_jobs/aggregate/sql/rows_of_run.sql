-- The rows a run wrote, each once, even if a stream were ever committed twice.
SELECT DISTINCT *
FROM {mart}.{table}
WHERE run_id = @run_id
  AND tenant_id = @tenant
  AND business_date BETWEEN @date_from AND @date_to
