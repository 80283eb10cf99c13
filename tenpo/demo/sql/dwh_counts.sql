-- What dwh holds of a tenant's counts.
SELECT
  SUM(in_count) AS in_count,
  SUM(out_count) AS out_count
FROM {dwh}.count_interval
WHERE tenant_id = @tenant
  AND business_date BETWEEN @date_from AND @date_to
