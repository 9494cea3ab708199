-- Flows that each service took part in, by part of the time in which they began.
SELECT
    service,
    start_ns // $width_ns::BIGINT AS part,
    count(*) AS records
FROM (
    SELECT unnest(services) AS service, start_ns
    FROM flow_heads
    WHERE start_ns >= $low_ns::BIGINT AND start_ns < $high_ns::BIGINT
)
GROUP BY service, part
ORDER BY service, part
