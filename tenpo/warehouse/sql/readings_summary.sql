-- The store-days whose intervals change, and whether it has to be looked further back for any line.
SELECT tenant_id, store_id, business_date, op IN ('first', 'far') AS is_first, op = 'far' AS is_far
FROM {staging}.{changes}
GROUP BY tenant_id, store_id, business_date, op IN ('first', 'far'), op = 'far'
