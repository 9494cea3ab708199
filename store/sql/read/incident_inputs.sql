SELECT
    incident_id,
    kind,
    name,
    sha256,
    records,
    content
FROM incident_inputs
WHERE incident_id = $incident_id
ORDER BY kind, name, sha256
