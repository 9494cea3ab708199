-- The flow of a kind that succeeded nearest in time to another; of the same version if there is one.
SELECT flow_id
FROM flow_heads
WHERE name = $name AND outcome = 'succeeded' AND flow_id <> $flow_id
ORDER BY version <> $version, abs(start_ns - $start_ns), flow_id
LIMIT 1
