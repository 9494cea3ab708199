-- Where in time a trace's spans lie: earliest start, latest start or end. Without spans both are NULL.
CREATE TABLE traces (
    trace_id UUID,
    min_ns BIGINT,
    max_ns BIGINT,
    spans BIGINT
)
