-- Schema 0 had no such table.
SELECT
    trace_id,
    min(start_ns) AS min_ns,
    max(greatest(start_ns, end_ns)) AS max_ns,
    count(start_ns) AS spans
FROM (
    SELECT trace_id, start_ns, end_ns
    FROM spans
    UNION ALL
    SELECT trace_id, NULL AS start_ns, NULL AS end_ns
    FROM logs
    WHERE trace_id IS NOT NULL
    UNION ALL
    SELECT trace_id, NULL AS start_ns, NULL AS end_ns
    FROM decisions
    WHERE trace_id IS NOT NULL
)
GROUP BY trace_id
