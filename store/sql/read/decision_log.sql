-- Logged decisions as they are stored, a range of leaves at a time; `record` is the stored text.
SELECT
    leaf_index,
    decision_id,
    time_ns,
    chosen,
    trace_hex(trace_id) AS trace_id,
    span_hex(span_id) AS span_id,
    flow_id,
    seq,
    confidence,
    threshold,
    model_name,
    model_version,
    policy_id,
    policy_version,
    policy_outcome,
    action_step_key,
    record::VARCHAR AS record
FROM decisions
WHERE leaf_index >= $from_index AND leaf_index < $to_index
ORDER BY leaf_index, decision_id, record
