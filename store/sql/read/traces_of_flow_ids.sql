-- Traces of flows that bear one of these ids, derived or declared by a span.
SELECT trace_hex(trace_id) AS trace
FROM flow_members
WHERE flow_id IN (SELECT flow_id FROM incoming)
UNION
SELECT trace_hex(trace_id) AS trace
FROM spans
WHERE declared_flow_id IN (SELECT flow_id FROM incoming)
ORDER BY trace
