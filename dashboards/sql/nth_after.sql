-- When the flow began that so many others began before, from a moment on.
SELECT start_ns
FROM flow_heads
WHERE start_ns >= $from_ns::BIGINT
ORDER BY start_ns
LIMIT 1 OFFSET $flows::BIGINT
