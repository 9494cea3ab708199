-- Ids of the named flows, and of all that ran at some time between two moments, in the order of
-- their start.
SELECT flow_id
FROM flow_heads
WHERE
    flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
    OR (start_ns <= $end_ns AND coalesce(end_ns, start_ns) >= $start_ns)
ORDER BY start_ns, flow_id
