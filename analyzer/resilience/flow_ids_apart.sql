/*
title = "Spans that name another flow than their parent"
params = []
columns = ["parent_service", "service", "pairs", "apart", "sample"]
*/
SELECT
    p.service AS parent_service,
    c.service,
    count(*) AS pairs,
    count(*) FILTER (c.declared_flow_id <> p.declared_flow_id) AS apart,
    min(trace_hex(c.trace_id) || '/' || span_hex(c.span_id), 5)
        FILTER (c.declared_flow_id <> p.declared_flow_id) AS sample
FROM spans AS c
INNER JOIN spans AS p ON c.trace_id = p.trace_id AND c.parent_span_id = p.span_id
WHERE c.declared_flow_id IS NOT NULL AND p.declared_flow_id IS NOT NULL
GROUP BY p.service, c.service
ORDER BY p.service, c.service
