DELETE FROM flow_effects
WHERE flow_id IN (SELECT flow_id FROM outdated)
