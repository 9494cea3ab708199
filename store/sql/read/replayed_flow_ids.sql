SELECT DISTINCT r.flow_id
FROM replays AS r
SEMI JOIN outdated AS o ON r.flow_id = o.flow_id
ORDER BY r.flow_id
