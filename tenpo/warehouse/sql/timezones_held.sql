-- What dwh knows of some timezones.
SELECT timezone, from_at, until_at, offset_s, previous_offset_s
FROM {dwh}.timezone_offset
WHERE timezone IN UNNEST(@timezones)
