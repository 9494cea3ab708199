-- What lists, counts and filters read of a flow, beside each other: written with the flow, from its
-- own row, its sagas, its decisions and the first spans of its traces.
CREATE TABLE flow_heads (
    flow_id VARCHAR,
    start_ns BIGINT,
    end_ns BIGINT,
    first_ns BIGINT, -- when it or the first try of any of its steps began: clocks run apart
    name VARCHAR,
    version VARCHAR,
    outcome VARCHAR,
    service VARCHAR,
    services VARCHAR[],
    environments VARCHAR[],
    span_count BIGINT,
    step_count BIGINT,
    attempt_count BIGINT,
    compensation_count BIGINT,
    complete BOOLEAN,
    replayability VARCHAR,
    has_saga BOOLEAN, -- a step has a saga role
    verdict VARCHAR, -- the worst of its sagas
    effects BIGINT, -- left standing
    decisions BIGINT,
    decisions_judged BIGINT, -- with confidence and threshold
    decisions_below BIGINT,
    sampling_weight VARCHAR,
    facts UBIGINT, -- the kind of what predicates may name: all but id, times and duration
    undoing UBIGINT, -- the kind of what became of its effects
    undoing_ns BIGINT[], -- the times that belong to it, in the order the kind names them
    derivation BIGINT
)
