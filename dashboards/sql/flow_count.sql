-- How many flows are in scope.
SELECT count(*) AS flows
FROM heads_within($since_ns::BIGINT, $until_ns::BIGINT, $environment::VARCHAR, $services::VARCHAR[])
ORDER BY flows
