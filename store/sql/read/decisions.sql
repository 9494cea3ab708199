-- By row number: only the column that chooses is read as a whole.
WITH wanted AS (SELECT trace_id FROM parse_trace_ids($trace_ids)),

-- Flow ids these traces are known by: derived ones, and those their spans declare.
flow_names AS (
    SELECT flow_id
    FROM flow_members
    WHERE trace_id IN (SELECT trace_id FROM wanted)
    UNION
    SELECT declared_flow_id
    FROM spans
    WHERE declared_flow_id IS NOT NULL AND trace_id IN (SELECT trace_id FROM wanted)
),

-- One after the other: nobody looks for what is not asked for.
found AS (
    SELECT rowid AS row_number
    FROM decisions
    WHERE decision_id IN (SELECT unnest($decision_ids::VARCHAR[]))
    UNION
    SELECT rowid AS row_number
    FROM decisions
    WHERE trace_id IN (SELECT trace_id FROM wanted)
    UNION
    SELECT rowid AS row_number
    FROM decisions
    WHERE flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
    UNION
    SELECT rowid AS row_number
    FROM decisions
    WHERE trace_id IS NULL AND flow_id IN (SELECT flow_id FROM flow_names)
)

SELECT
    decision_id,
    time_ns,
    chosen,
    trace_hex(trace_id),
    span_hex(span_id),
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
    record
FROM decisions
WHERE $all OR rowid IN (SELECT row_number FROM found)
ORDER BY time_ns, decision_id
LIMIT $limit
