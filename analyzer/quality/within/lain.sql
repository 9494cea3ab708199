/*
title = "Where in time the traces lie that began in a range, or that its flows, decisions and logs name"
params = ["since_ns", "until_ns"]
*/
WITH named AS (
    SELECT trace_id
    FROM traces_within($since_ns::BIGINT, $until_ns::BIGINT)
    UNION ALL
    SELECT TRY_CAST(unnest(trace_ids) AS UUID) AS trace_id
    FROM flows
    WHERE
        ($since_ns::BIGINT IS NULL OR start_ns >= $since_ns::BIGINT)
        AND ($until_ns::BIGINT IS NULL OR start_ns < $until_ns::BIGINT)
    UNION ALL
    SELECT trace_id
    FROM decisions
    WHERE
        ($since_ns::BIGINT IS NULL OR time_ns >= $since_ns::BIGINT)
        AND ($until_ns::BIGINT IS NULL OR time_ns < $until_ns::BIGINT)
    UNION ALL
    SELECT trace_id
    FROM logs
    WHERE
        span_id IS NOT NULL
        AND ($since_ns::BIGINT IS NULL OR time_ns >= $since_ns::BIGINT)
        AND ($until_ns::BIGINT IS NULL OR time_ns < $until_ns::BIGINT)
)

SELECT
    coalesce(min(min_ns), 0) AS low_ns,
    coalesce(max(max_ns), 0) AS high_ns
FROM traces
WHERE trace_id IN (SELECT trace_id FROM named)
ORDER BY low_ns
