-- Which spans a flow holds; a trace may be shared between flows.
SELECT trace_hex(trace_id) AS trace_id, span_hex(span_id) AS span_id
FROM flow_members
WHERE flow_id = $flow_id
ORDER BY ALL
