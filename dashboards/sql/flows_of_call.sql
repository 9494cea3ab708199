-- Flows that began in a range in which one service calls another; only those where a try of it
-- failed, or was repeated, when asked so. No step of them begins before first_ns.
WITH calls AS MATERIALIZED (
    SELECT flow_id, ordinal, attempt_count
    FROM steps
    WHERE
        service = $caller
        AND callee = $callee
        AND start_ns >= $first_ns
        AND flow_id IN (
            SELECT flow_id
            FROM heads_within($since_ns::BIGINT, $until_ns::BIGINT, NULL::VARCHAR, NULL::VARCHAR[])
        )
)

SELECT DISTINCT c.flow_id
FROM calls AS c
WHERE
    $how = ''
    OR ($how = 'retried' AND c.attempt_count > 1)
    OR (
        $how = 'failed'
        AND EXISTS (
            SELECT 1
            FROM attempts AS a
            WHERE
                a.flow_id = c.flow_id
                AND a.step_ordinal = c.ordinal
                AND a.outcome IN ('error', 'timeout')
                AND a.start_ns >= $first_ns
        )
    )
ORDER BY c.flow_id
