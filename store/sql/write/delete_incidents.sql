DELETE FROM incidents
WHERE incident_id IN (SELECT incident_id FROM incoming)
