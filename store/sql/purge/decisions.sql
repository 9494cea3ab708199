-- What proves that a decision was made stays: its id, its place in the log, its time, the hash of
-- its content, and its leaf. Nothing of what it said.
UPDATE decisions SET
    chosen = '',
    trace_id = NULL,
    span_id = NULL,
    flow_id = NULL,
    seq = NULL,
    confidence = NULL,
    confidence_value = NULL,
    threshold = NULL,
    threshold_value = NULL,
    model_name = NULL,
    model_version = NULL,
    policy_id = NULL,
    policy_version = NULL,
    policy_outcome = NULL,
    action_step_key = NULL,
    record = json_object('leaf_sha256', lower(hex(l.leaf)), 'retrospan.purged', true)
FROM decision_leaves AS l
WHERE decisions.leaf_index IS NOT NULL
    AND decisions.leaf_index = l.leaf_index
    AND decisions.decision_id IN (SELECT decision_id FROM purge_decisions)
