-- Decisions of the flows: those they were derived with, those that name them, those in their spans.
CREATE OR REPLACE TEMP TABLE purge_decisions AS
SELECT d.decision_id
FROM decisions AS d
WHERE json_extract(d.record, '/retrospan.purged') IS NULL
    AND (
        d.flow_id IN (SELECT flow_id FROM purge_flows)
        OR d.trace_id IN (SELECT trace_id FROM purge_traces)
        OR (d.trace_id, d.span_id) IN (SELECT (trace_id, span_id) FROM purge_spans)
        OR d.decision_id IN (
            SELECT unnest(f.decision_ids)
            FROM flows AS f
            SEMI JOIN purge_flows AS p ON f.flow_id = p.flow_id
        )
    )
