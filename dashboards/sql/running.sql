-- How many flows in scope ran at some time between two moments.
SELECT count(*) AS flows
FROM heads_within($since_ns::BIGINT, $until_ns::BIGINT, $environment::VARCHAR, $services::VARCHAR[])
WHERE start_ns <= $end_ns AND coalesce(end_ns, start_ns) >= $start_ns
ORDER BY flows
