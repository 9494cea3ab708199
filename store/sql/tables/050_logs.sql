CREATE TABLE logs (
    time_ns BIGINT,
    observed_ns BIGINT,
    trace_id UUID,
    span_id UBIGINT,
    severity_number INTEGER,
    severity_text VARCHAR,
    event_name VARCHAR,
    body JSON,
    service VARCHAR,
    attributes JSON,
    resource JSON,
    content_hash UBIGINT
)
