DELETE FROM span_links AS s
USING outdated AS o
WHERE s.trace_id = o.trace_id::UUID AND s.span_id = o.span_id AND s.span_start_ns BETWEEN $low AND $high
