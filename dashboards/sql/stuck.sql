-- Flows with a saga in scope that left effects standing or never came to rest, the most left first.
SELECT flow_id, count(*) OVER () AS found, sum(effects) OVER () AS effects_found
FROM heads_within($since_ns::BIGINT, $until_ns::BIGINT, $environment::VARCHAR, $services::VARCHAR[])
WHERE
    has_saga
    AND (
        effects > 0
        OR outcome IN ('compensation_failed', 'partially_compensated', 'in_progress', 'unknown')
    )
ORDER BY effects DESC, start_ns, flow_id
LIMIT $rows::BIGINT
