-- Checks and detectors with a violation or suspicion in scope, violations and most flows first.
-- What is said of no single flow counts where `every` is asked for. Each side is counted before
-- they are put together: rows are many, names few.
WITH within AS (
    SELECT name, verdict, message, nth
    FROM flow_problems
    WHERE
        ($since_ns::BIGINT IS NULL OR start_ns >= $since_ns::BIGINT)
        AND ($until_ns::BIGINT IS NULL OR start_ns < $until_ns::BIGINT)
        AND $environment::VARCHAR IS NULL
        AND $services::VARCHAR[] IS NULL
    UNION ALL
    -- Only where flows are chosen by more than time does anybody have to look at their ids.
    SELECT name, verdict, message, nth
    FROM flow_problems
    WHERE
        ($environment::VARCHAR IS NOT NULL OR $services::VARCHAR[] IS NOT NULL)
        AND flow_id IN (
            SELECT flow_id
            FROM heads_within($since_ns::BIGINT, $until_ns::BIGINT, $environment::VARCHAR, $services::VARCHAR[])
        )
),

of_flows AS (
    SELECT
        name,
        verdict,
        count(*) FILTER (WHERE nth = 1) AS flows,
        count(*) AS findings,
        min(message) AS message
    FROM within
    GROUP BY name, verdict
),

of_many AS (
    SELECT
        detector AS name,
        verdict,
        0::BIGINT AS flows,
        count(*) AS findings,
        min(message) AS message
    FROM findings
    WHERE $every AND flow_id IS NULL AND verdict IN ('violation', 'suspected')
    GROUP BY detector, verdict
)

SELECT
    name,
    verdict,
    sum(flows)::BIGINT AS flows,
    sum(findings)::BIGINT AS findings,
    min(message) AS message
FROM (
    SELECT * FROM of_flows
    UNION ALL
    SELECT * FROM of_many
)
GROUP BY name, verdict
ORDER BY verdict DESC, flows DESC, name
