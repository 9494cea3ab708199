-- Decisions of each model by part of the time in which they were made.
SELECT
    coalesce(model_name, '') AS model,
    time_ns // $width_ns::BIGINT AS part,
    count(*) AS records
FROM decisions
WHERE time_ns >= $low_ns::BIGINT AND time_ns < $high_ns::BIGINT
GROUP BY ALL
ORDER BY model, part
