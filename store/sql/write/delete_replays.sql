DELETE FROM replays AS r
USING incoming AS i
WHERE r.flow_id = i.flow_id AND r.mode = i.mode AND r.scenario IS NOT DISTINCT FROM i.scenario
