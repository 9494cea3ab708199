SELECT
    incident_id,
    generation,
    basis,
    content
FROM incident_causes
ORDER BY incident_id
