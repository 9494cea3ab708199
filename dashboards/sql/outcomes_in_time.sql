-- Flows in scope by bucket of their start and by outcome.
SELECT
    start_ns // $width_ns AS bucket,
    outcome,
    count(*) AS flows
FROM heads_within($since_ns::BIGINT, $until_ns::BIGINT, $environment::VARCHAR, $services::VARCHAR[])
GROUP BY bucket, outcome
ORDER BY bucket, outcome
