DELETE FROM steps
WHERE flow_id IN (SELECT flow_id FROM outdated)
