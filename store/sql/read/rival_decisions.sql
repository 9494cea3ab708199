-- Stored decisions with the id of an incoming derived one, or of a log and of its span.
SELECT
    i.decision_id,
    d.leaf_index IS NOT NULL AS is_logged,
    trace_hex(d.trace_id) AS trace_id,
    d.time_ns,
    d.content_hash
FROM incoming AS i
INNER JOIN decisions AS d ON i.decision_id = d.decision_id
UNION
SELECT
    i.decision_id,
    TRUE AS is_logged,
    trace_hex(d.trace_id) AS trace_id,
    d.time_ns,
    d.content_hash
FROM incoming AS i
INNER JOIN decisions AS d ON i.trace_id::UUID = d.trace_id AND i.span_id = d.span_id
WHERE d.leaf_index IS NOT NULL
ORDER BY ALL
