-- How many of the flows in scope are not whole, and how many stand for an unknown number of others
-- or for more than themselves.
SELECT
    count(*) AS flows,
    count(*) FILTER (WHERE NOT complete) AS broken,
    count(*) FILTER (WHERE sampling_weight IS NULL) AS unknown,
    count(*) FILTER (WHERE sampling_weight <> '1') AS sampled
FROM heads_within($since_ns::BIGINT, $until_ns::BIGINT, $environment::VARCHAR, $services::VARCHAR[])
ORDER BY flows
