DELETE FROM span_events AS s
USING purge_spans AS p
WHERE s.trace_id = p.trace_id AND s.span_id = p.span_id
