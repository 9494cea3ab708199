DELETE FROM sagas
WHERE flow_id IN (SELECT flow_id FROM outdated)
