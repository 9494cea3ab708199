-- Traces that lost some of their spans: their place in time anew.
UPDATE traces AS t SET min_ns = s.min_ns, max_ns = s.max_ns, spans = s.spans
FROM (
    SELECT
        trace_id,
        min(start_ns) AS min_ns,
        max(greatest(start_ns, end_ns)) AS max_ns,
        count(*) AS spans
    FROM spans
    WHERE trace_id IN (SELECT trace_id FROM purge_spans)
    GROUP BY trace_id
) AS s
WHERE t.trace_id = s.trace_id
