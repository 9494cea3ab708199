-- Checks and detectors with a violation or suspicion in scope, violations and most flows first.
-- What is said of no single flow counts where `every` is asked for.
WITH found AS (
    SELECT flow_id, name, verdict, message
    FROM flow_problems
    WHERE
        $every
        OR flow_id IN (
            SELECT flow_id
            FROM heads_within($since_ns::BIGINT, $until_ns::BIGINT, $environment::VARCHAR, $services::VARCHAR[])
        )
    UNION ALL
    SELECT flow_id, detector AS name, verdict, message
    FROM findings
    WHERE $every AND flow_id IS NULL AND verdict IN ('violation', 'suspected')
)

SELECT
    name,
    verdict,
    count(DISTINCT flow_id) AS flows,
    count(*) AS findings,
    min(message) AS message
FROM found
GROUP BY name, verdict
ORDER BY verdict DESC, flows DESC, name
