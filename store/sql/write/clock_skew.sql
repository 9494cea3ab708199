-- A call seen from both ends: its callee's middle against its caller's, as NTP does (RFC 5905,
-- section 8), where way there and way back take equally long. Failed calls may end apart.
INSERT INTO clock_skew BY NAME
SELECT
    caller.service AS caller,
    callee.service AS callee,
    count(*) AS calls,
    quantile_disc(
        ((callee.start_ns - caller.start_ns) + (callee.end_ns - caller.end_ns)) // 2, 0.5
    ) AS offset_ns,
    quantile_disc(callee.end_ns - caller.end_ns, 0.5) AS low_ns,
    quantile_disc(callee.start_ns - caller.start_ns, 0.5) AS high_ns
FROM spans AS callee
INNER JOIN spans AS caller
    ON callee.trace_id = caller.trace_id AND callee.parent_span_id = caller.span_id
WHERE callee.kind = 'server'
    AND caller.kind = 'client'
    AND callee.service <> caller.service
    AND callee.status <> 'error'
    AND caller.status <> 'error'
    AND callee.end_ns IS NOT NULL
    AND caller.end_ns IS NOT NULL
GROUP BY caller.service, callee.service
ORDER BY caller.service, callee.service
