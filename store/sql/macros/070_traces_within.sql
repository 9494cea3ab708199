-- Traces that began in [since, until), with where in time they lie; all where both are NULL, those
-- without a span too.
CREATE MACRO traces_within(since_ns, until_ns) AS TABLE
SELECT trace_id, min_ns, max_ns
FROM traces
WHERE
    (since_ns IS NULL OR min_ns >= since_ns)
    AND (until_ns IS NULL OR min_ns < until_ns)
