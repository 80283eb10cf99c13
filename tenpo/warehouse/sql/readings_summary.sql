-- The store-days whose intervals change, and whether any line begins there.
SELECT tenant_id, store_id, business_date, op = 'first' AS is_first
FROM {staging}.{changes}
GROUP BY tenant_id, store_id, business_date, op = 'first'
