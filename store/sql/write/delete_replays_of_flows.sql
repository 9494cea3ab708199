DELETE FROM replays
WHERE flow_id IN (SELECT flow_id FROM outdated)
