-- Who calls whom, and how it went: one row per caller and callee over the flows in scope. Latencies
-- are of tries that ended, as the caller saw them. No step of these flows, and no try of one,
-- begins before `first_ns`.
WITH scoped AS (
    SELECT h.flow_id, f.sampling
    FROM heads_within($since_ns::BIGINT, $until_ns::BIGINT, $environment::VARCHAR, $services::VARCHAR[]) AS h
    INNER JOIN flows AS f ON h.flow_id = f.flow_id
),
calls AS (
    SELECT
        s.flow_id,
        s.ordinal,
        s.service AS caller,
        s.callee,
        s.kind,
        s.outcome,
        f.sampling
    FROM steps AS s
    INNER JOIN scoped AS f ON s.flow_id = f.flow_id
    WHERE s.callee <> '' AND s.start_ns >= $first_ns::BIGINT
),
tried AS (
    SELECT
        c.caller,
        c.callee,
        count(*) AS attempts,
        count(*) FILTER (WHERE a.outcome = 'error') AS errors,
        count(*) FILTER (WHERE a.outcome = 'timeout') AS timeouts,
        count(*) FILTER (WHERE a.outcome IN ('unknown', 'cancelled')) AS unknown,
        count(a.end_ns) AS ended,
        quantile_disc(a.end_ns - a.start_ns, 0.5) AS median_ns,
        quantile_disc(a.end_ns - a.start_ns, 0.95) AS p95_ns
    FROM calls AS c
    INNER JOIN attempts AS a ON c.flow_id = a.flow_id AND c.ordinal = a.step_ordinal
    WHERE a.start_ns >= $first_ns::BIGINT
    GROUP BY c.caller, c.callee
)
SELECT
    c.caller,
    c.callee,
    list(DISTINCT c.kind ORDER BY c.kind) AS kinds,
    count(DISTINCT c.flow_id) AS flows,
    count(*) AS calls,
    count(*) FILTER (WHERE c.outcome NOT IN ('ok', 'unknown')) AS failed_calls,
    count(DISTINCT c.flow_id) FILTER (WHERE c.sampling = 'unknown') AS flows_unknown_sampling,
    coalesce(max(t.attempts), 0)::BIGINT AS attempts,
    coalesce(max(t.errors), 0)::BIGINT AS errors,
    coalesce(max(t.timeouts), 0)::BIGINT AS timeouts,
    coalesce(max(t.unknown), 0)::BIGINT AS unknown,
    coalesce(max(t.ended), 0)::BIGINT AS ended,
    max(t.median_ns) AS median_ns,
    max(t.p95_ns) AS p95_ns
FROM calls AS c
LEFT JOIN tried AS t ON c.caller = t.caller AND c.callee = t.callee
GROUP BY c.caller, c.callee
ORDER BY c.caller, c.callee
