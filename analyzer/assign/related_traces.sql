/*
title = "Traces that may make one flow with some traces"
params = ["trace_ids"]
columns = ["trace_id"]
*/
WITH asked AS (
    SELECT trace_id FROM parse_trace_ids($trace_ids)
),

named AS (
    SELECT DISTINCT
        spans.declared_flow_id,
        spans.saga_id
    FROM spans
    SEMI JOIN asked ON spans.trace_id = asked.trace_id
    WHERE spans.declared_flow_id IS NOT NULL OR spans.saga_id IS NOT NULL
),

related AS (
    SELECT others.trace_id
    FROM flow_members AS own
    INNER JOIN flow_members AS others ON own.flow_id = others.flow_id
    SEMI JOIN asked ON own.trace_id = asked.trace_id
    UNION
    SELECT spans.trace_id
    FROM spans
    WHERE spans.declared_flow_id IN (SELECT declared_flow_id FROM named)
        OR spans.saga_id IN (SELECT saga_id FROM named)
    UNION
    SELECT linked_trace_id AS trace_id
    FROM span_links
    SEMI JOIN asked ON span_links.trace_id = asked.trace_id
    UNION
    SELECT span_links.trace_id
    FROM span_links
    SEMI JOIN asked ON span_links.linked_trace_id = asked.trace_id
)

SELECT trace_hex(related.trace_id) AS trace_id
FROM related
SEMI JOIN traces ON related.trace_id = traces.trace_id
ANTI JOIN asked ON related.trace_id = asked.trace_id
ORDER BY 1
