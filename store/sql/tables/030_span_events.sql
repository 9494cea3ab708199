-- `span_start_ns` repeats the span's own, so that a time range finds both.
CREATE TABLE span_events (
    trace_id UUID,
    span_id UBIGINT,
    span_start_ns BIGINT,
    ordinal INTEGER,
    time_ns BIGINT,
    name VARCHAR,
    attributes JSON
)
