-- Calls that other services made of each service, by part of the time in which they began.
SELECT
    callee AS service,
    start_ns // $width_ns::BIGINT AS part,
    count(*) AS records
FROM steps
WHERE
    callee <> ''
    AND callee <> service
    AND start_ns >= $low_ns::BIGINT
    AND start_ns < $high_ns::BIGINT
GROUP BY callee, part
ORDER BY callee, part
