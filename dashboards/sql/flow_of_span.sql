-- Flows that hold a trace, or the one span of it when given.
SELECT DISTINCT m.flow_id
FROM flow_members AS m
WHERE
    m.trace_id IN (SELECT trace_id FROM parse_trace_ids([$trace_id]))
    AND ($span_id IS NULL OR span_hex(m.span_id) = $span_id)
ORDER BY m.flow_id
