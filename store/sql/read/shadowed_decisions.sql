-- Derived decisions whose id or span incoming decisions of a log tell of.
SELECT d.decision_id, trace_hex(d.trace_id) AS trace_id
FROM decisions AS d
SEMI JOIN incoming AS i ON d.decision_id = i.decision_id
WHERE d.leaf_index IS NULL
UNION
SELECT d.decision_id, trace_hex(d.trace_id) AS trace_id
FROM decisions AS d
SEMI JOIN incoming AS i ON d.trace_id = i.trace_id::UUID AND d.span_id = i.span_id
WHERE d.leaf_index IS NULL
ORDER BY ALL
