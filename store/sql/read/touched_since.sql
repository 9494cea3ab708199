SELECT count(*)
FROM dirty_traces AS d
SEMI JOIN derived AS i ON d.trace_id = i.trace_id::UUID
WHERE d.generation > $generation
