/*
title = "When the flows began whose attempts lie in the traces of a range"
params = ["since_ns", "until_ns", "low_ns", "high_ns"]
*/
SELECT coalesce(min(first_ns), 0) AS first_ns
FROM flow_heads
WHERE
    flow_id IN (
        SELECT flow_id
        FROM attempts
        WHERE
            start_ns BETWEEN $low_ns AND $high_ns
            AND trace_id IN (SELECT trace_id FROM traces_within($since_ns::BIGINT, $until_ns::BIGINT))
    )
ORDER BY first_ns
