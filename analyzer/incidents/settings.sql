/*
title = "How the calls of each flow of a time range were made: timeouts, attempts, waits, keys"
params = ["since_ns", "until_ns"]
*/
WITH calls AS (
    SELECT
        s.flow_id,
        f.start_ns,
        s.service || ' calling ' || s.callee || ' ' || s.operation AS edge,
        max(a.timeout_ms) AS timeout_ms,
        max(s.max_attempts) AS max_attempts,
        max(s.backoff_initial_ms) AS backoff_initial_ms,
        CASE
            WHEN count(*) > 1 AND count(a.idempotency_key) = count(*)
                THEN if(count(DISTINCT a.idempotency_key) = 1, 'kept', 'new at each attempt')
        END AS key_of_repeats
    FROM steps AS s
    INNER JOIN flows AS f ON s.flow_id = f.flow_id
    INNER JOIN attempts AS a ON s.flow_id = a.flow_id AND s.ordinal = a.step_ordinal
    WHERE f.start_ns >= $since_ns AND f.start_ns < $until_ns AND s.callee <> s.service
    GROUP BY s.flow_id, f.start_ns, s.ordinal, s.service, s.callee, s.operation
),

told AS (
    SELECT
        flow_id,
        start_ns,
        'timeout of ' || edge AS subject,
        timeout_ms || ' ms' AS value
    FROM calls
    UNION ALL
    SELECT
        flow_id,
        start_ns,
        'attempts at most of ' || edge,
        max_attempts || ''
    FROM calls
    UNION ALL
    SELECT
        flow_id,
        start_ns,
        'first wait of ' || edge,
        backoff_initial_ms || ' ms'
    FROM calls
    UNION ALL
    SELECT
        flow_id,
        start_ns,
        'idempotency key of repeats of ' || edge,
        key_of_repeats
    FROM calls
)

SELECT DISTINCT
    flow_id,
    start_ns,
    subject,
    value
FROM told
WHERE value IS NOT NULL
ORDER BY subject, start_ns, flow_id, value
