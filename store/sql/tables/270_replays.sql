-- One row per flow, mode and scenario (NULL is the control); `events` is the canonical event log.
CREATE TABLE replays (
    flow_id VARCHAR,
    mode VARCHAR,
    scenario VARCHAR,
    verdict VARCHAR,
    digest VARCHAR,
    outcome VARCHAR,
    virtual_duration_ns BIGINT,
    virtual_low_ns BIGINT,
    virtual_high_ns BIGINT,
    program_digest VARCHAR,
    program_flows BIGINT,
    leave_one_out BOOLEAN,
    claim VARCHAR,
    control_verdict VARCHAR,
    control_digest VARCHAR,
    reason VARCHAR,
    flags VARCHAR[],
    divergences JSON,
    answers JSON,
    events JSON
)
