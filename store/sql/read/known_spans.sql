-- Stored versions of incoming spans.
SELECT trace_hex(s.trace_id), s.span_id, s.start_ns, s.end_ns, s.content_hash
FROM spans AS s
SEMI JOIN incoming AS i ON s.trace_id = i.trace_id::UUID AND s.span_id = i.span_id
WHERE s.start_ns BETWEEN $low AND $high
ORDER BY ALL
