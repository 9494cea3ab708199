CREATE TABLE findings (
    finding_id VARCHAR,
    detector VARCHAR,
    scope VARCHAR,
    severity VARCHAR,
    verdict VARCHAR,
    flow_id VARCHAR,
    message VARCHAR,
    remedy VARCHAR,
    evidence JSON,
    facts JSON,
    generation BIGINT
)
