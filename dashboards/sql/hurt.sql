-- Flows in scope that violate a check, or where there is none, those that ended badly.
WITH bad AS (
    SELECT
        start_ns,
        coalesce(verdict = 'violation', false) AS violated
    FROM heads_within($since_ns::BIGINT, $until_ns::BIGINT, $environment::VARCHAR, $services::VARCHAR[])
    WHERE
        verdict = 'violation'
        OR outcome IN ('partially_compensated', 'compensation_failed', 'failed')
)

SELECT
    count(*) AS flows,
    coalesce(bool_or(violated), false) AS violated,
    min(start_ns) AS first_ns,
    max(start_ns) AS last_ns
FROM bad
WHERE violated = (SELECT bool_or(violated) FROM bad)
ORDER BY ALL
