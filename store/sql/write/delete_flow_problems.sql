DELETE FROM flow_problems
WHERE flow_id IN (SELECT flow_id FROM outdated)
