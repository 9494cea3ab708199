DELETE FROM findings
WHERE flow_id IN (SELECT flow_id FROM outdated)
