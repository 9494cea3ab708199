-- When the flow began that so many others in scope began after.
SELECT start_ns
FROM heads_within(NULL::BIGINT, $until_ns::BIGINT, NULL::VARCHAR, NULL::VARCHAR[])
ORDER BY start_ns DESC
LIMIT 1 OFFSET $flows::BIGINT
