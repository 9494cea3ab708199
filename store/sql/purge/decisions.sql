-- What proves that a decision was made stays: its id, its place in the log, its time, the hash of
-- its content, and the RFC 6962 leaf hash of the record as it was stored. Nothing of what it said.
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
    record = json_object(
        'leaf_sha256', sha256('\x00'::BLOB || encode(record::VARCHAR)), 'retrospan.purged', true
    )
WHERE leaf_index IS NOT NULL
    AND decision_id IN (SELECT decision_id FROM purge_decisions)
