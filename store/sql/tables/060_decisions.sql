-- `leaf_index` numbers the decisions in the order they were stored; none of them is ever replaced.
-- It is null for a decision that was derived from a span, which a log's word on it replaces.
-- confidence and threshold keep the recorded text, *_value is the number where it is one.
CREATE TABLE decisions (
    decision_id VARCHAR,
    leaf_index BIGINT,
    time_ns BIGINT,
    chosen VARCHAR,
    trace_id UUID,
    span_id UBIGINT,
    flow_id VARCHAR,
    seq BIGINT,
    confidence VARCHAR,
    confidence_value DECIMAL(38, 9),
    threshold VARCHAR,
    threshold_value DECIMAL(38, 9),
    model_name VARCHAR,
    model_version VARCHAR,
    policy_id VARCHAR,
    policy_version VARCHAR,
    policy_outcome VARCHAR,
    action_step_key VARCHAR,
    record JSON,
    content_hash UBIGINT
)
