CREATE TABLE span_links (
    trace_id UUID,
    span_id UBIGINT,
    span_start_ns BIGINT,
    ordinal INTEGER,
    linked_trace_id UUID,
    linked_span_id UBIGINT,
    attributes JSON
)
