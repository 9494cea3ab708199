-- Spans with ids as hex text and their duration (NULL while unfinished).
CREATE VIEW span_facts AS
SELECT
    trace_hex(trace_id) AS trace_id,
    span_hex(span_id) AS span_id,
    span_hex(parent_span_id) AS parent_span_id,
    end_ns - start_ns AS duration_ns,
    * EXCLUDE (trace_id, span_id, parent_span_id)
FROM spans
