-- None of these flows, which began between two moments, of their steps, and of the tries of those
-- begins before this.
SELECT coalesce(min(first_ns), 0) AS first_ns
FROM flow_heads
WHERE
    start_ns BETWEEN $low AND $high
    AND flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
