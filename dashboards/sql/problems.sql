-- Violated and suspected checks and findings of the flows in scope, one row each.
SELECT flow_id, name, verdict, message
FROM flow_problems
WHERE
    ($since_ns::BIGINT IS NULL OR start_ns >= $since_ns::BIGINT)
    AND ($until_ns::BIGINT IS NULL OR start_ns < $until_ns::BIGINT)
    AND flow_id IN (
        SELECT flow_id
        FROM heads_within($since_ns::BIGINT, $until_ns::BIGINT, $environment::VARCHAR, $services::VARCHAR[])
        WHERE $flow_ids::VARCHAR[] IS NULL OR flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
    )
UNION ALL
SELECT flow_id, detector AS name, verdict, message
FROM findings
WHERE $every AND flow_id IS NULL AND verdict IN ('violation', 'suspected')
ORDER BY ALL
