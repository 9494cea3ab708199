-- Ids of the flows in scope.
SELECT flow_id
FROM heads_within($since_ns::BIGINT, $until_ns::BIGINT, $environment::VARCHAR, $services::VARCHAR[])
ORDER BY flow_id
