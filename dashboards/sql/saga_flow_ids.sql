-- Flows in which a step has a saga role, latest first.
SELECT f.flow_id
FROM flows AS f
WHERE EXISTS (SELECT 1 FROM steps AS s WHERE s.flow_id = f.flow_id AND s.role IS NOT NULL)
ORDER BY f.start_ns DESC, f.flow_id
