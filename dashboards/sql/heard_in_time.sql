-- Spans of each service by part of the time in which they began.
SELECT
    service,
    start_ns // $width_ns::BIGINT AS part,
    count(*) AS records
FROM spans
WHERE start_ns >= $low_ns::BIGINT AND start_ns < $high_ns::BIGINT
GROUP BY service, part
ORDER BY service, part
