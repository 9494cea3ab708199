DELETE FROM replays
WHERE flow_id IN (SELECT flow_id FROM purge_flows)
