DELETE FROM attempts
WHERE flow_id IN (SELECT flow_id FROM outdated)
