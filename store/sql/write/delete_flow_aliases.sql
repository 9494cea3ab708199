DELETE FROM flow_aliases
WHERE flow_id IN (SELECT flow_id FROM outdated)
