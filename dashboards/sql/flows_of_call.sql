-- Flows in which one service calls another; only those where a try of it failed, or was repeated,
-- when asked so.
SELECT DISTINCT s.flow_id
FROM steps AS s
WHERE
    s.service = $caller
    AND s.callee = $callee
    AND (
        $how = ''
        OR ($how = 'retried' AND s.attempt_count > 1)
        OR (
            $how = 'failed'
            AND EXISTS (
                SELECT 1
                FROM attempts AS a
                WHERE
                    a.flow_id = s.flow_id
                    AND a.step_ordinal = s.ordinal
                    AND a.outcome IN ('error', 'timeout')
            )
        )
    )
ORDER BY s.flow_id
