CREATE TABLE incidents (
    incident_id VARCHAR,
    start_ns BIGINT,
    end_ns BIGINT,
    declared_by VARCHAR,
    title VARCHAR,
    detected_ns BIGINT,
    mitigated_ns BIGINT,
    recovered_ns BIGINT,
    flow_ids VARCHAR[],
    services VARCHAR[]
)
