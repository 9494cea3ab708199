-- Traces whose flows must be derived again, with the generation that touched them last.
CREATE TABLE dirty_traces (
    trace_id UUID,
    generation BIGINT
)
