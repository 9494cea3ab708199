SELECT d.decision_id, d.content_hash
FROM decisions AS d
SEMI JOIN incoming AS i ON d.decision_id = i.decision_id
WHERE d.leaf_index IS NOT NULL
ORDER BY ALL
