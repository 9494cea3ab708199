-- Spans of a batch that have more than one version: in the batch, or there and in the store.
SELECT trace_hex(trace_id), span_id
FROM incoming
GROUP BY trace_id, span_id
HAVING count(*) > 1
UNION
SELECT trace_hex(s.trace_id), s.span_id
FROM spans AS s
SEMI JOIN incoming AS i ON s.trace_id = i.trace_id AND s.span_id = i.span_id
WHERE s.start_ns BETWEEN $low AND $high
ORDER BY ALL
