DELETE FROM flows
WHERE flow_id IN (SELECT flow_id FROM outdated)
