-- What may have caused an incident, as it was last concluded. `basis` is the digest of all it rests
-- on: another basis now means that it has to be concluded again.
CREATE TABLE incident_causes (
    incident_id VARCHAR,
    generation BIGINT,
    basis VARCHAR,
    content JSON
)
