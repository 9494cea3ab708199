CREATE TABLE flow_members (
    flow_id VARCHAR,
    trace_id UUID,
    span_id UBIGINT
)
