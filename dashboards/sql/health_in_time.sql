-- The counts of the Overview's cards by bucket of the flows' start, as health.sql has them.
SELECT
    start_ns // $width_ns AS bucket,
    count(*) AS flows,
    count(*) FILTER (
        WHERE outcome IN (
            'succeeded', 'compensated', 'partially_compensated', 'compensation_failed', 'failed'
        )
    ) AS ended,
    count(*) FILTER (
        WHERE outcome IN ('succeeded', 'compensated') AND coalesce(verdict <> 'violation', true)
    ) AS good,
    count(*) FILTER (WHERE verdict = 'violation') AS violated,
    count(*) FILTER (
        WHERE
            has_saga
            AND (
                effects > 0
                OR outcome IN (
                    'compensation_failed', 'partially_compensated', 'in_progress', 'unknown'
                )
            )
    ) AS stuck,
    coalesce(sum(effects), 0)::BIGINT AS effects,
    coalesce(sum(decisions_below), 0)::BIGINT AS below
FROM heads_within($since_ns::BIGINT, $until_ns::BIGINT, $environment::VARCHAR, $services::VARCHAR[])
GROUP BY bucket
ORDER BY bucket
