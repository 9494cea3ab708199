-- Files that people gave for an incident: its changes, its metrics. `content` holds what of them
-- lies around the incident, redacted; `sha256` is that of the file as it was given.
CREATE TABLE incident_inputs (
    incident_id VARCHAR,
    kind VARCHAR,
    name VARCHAR,
    sha256 VARCHAR,
    records BIGINT,
    content JSON
)
