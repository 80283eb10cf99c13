-- Store-days that hold any event.
SELECT DISTINCT store_id, business_date
FROM {dwh}.sale_line
WHERE tenant_id = @tenant AND business_date BETWEEN @date_from AND @date_to
UNION DISTINCT
SELECT DISTINCT store_id, business_date
FROM {dwh}.count_interval
WHERE tenant_id = @tenant AND business_date BETWEEN @date_from AND @date_to
UNION DISTINCT
SELECT DISTINCT store_id, business_date
FROM {dwh}.reading_interval
WHERE tenant_id = @tenant AND business_date BETWEEN @date_from AND @date_to
UNION DISTINCT
SELECT DISTINCT store_id, business_date
FROM {dwh}.visit_event
WHERE tenant_id = @tenant AND business_date BETWEEN @date_from AND @date_to
