DELETE FROM incident_inputs
WHERE incident_id = $incident_id AND kind = $kind
