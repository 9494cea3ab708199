-- Where stored spans of the incoming traces can lie. NULL: none of these traces is known.
SELECT min(t.min_ns), max(t.max_ns)
FROM traces AS t
SEMI JOIN incoming AS i ON t.trace_id = i.trace_id
