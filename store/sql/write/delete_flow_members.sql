DELETE FROM flow_members
WHERE flow_id IN (SELECT flow_id FROM outdated)
