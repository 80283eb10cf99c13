-- Which raw ids of a tenant belong to another person, and which of them are half published.
SELECT raw_id, person_id, state
FROM {dwh}.person
WHERE tenant_id = @tenant_id
