-- How many flows with a saga in scope became what, by kind of undoing.
SELECT undoing AS kind, count(*) AS flows
FROM heads_within($since_ns::BIGINT, $until_ns::BIGINT, $environment::VARCHAR, $services::VARCHAR[])
WHERE has_saga AND undoing IS NOT NULL
GROUP BY undoing
ORDER BY undoing
