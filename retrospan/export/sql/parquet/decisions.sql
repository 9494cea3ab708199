SELECT
    decision_id,
    leaf_index,
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
WHERE coalesce(leaf_index, -1) BETWEEN $low AND $high
ORDER BY coalesce(leaf_index, -1), time_ns, decision_id
