DELETE FROM incident_causes
WHERE incident_id = $incident_id
