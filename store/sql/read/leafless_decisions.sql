-- Logged decisions of a store that had no leaves yet.
SELECT
    d.leaf_index,
    d.decision_id
FROM decisions AS d
WHERE d.leaf_index IS NOT NULL AND d.leaf_index NOT IN (SELECT leaf_index FROM decision_leaves)
ORDER BY d.leaf_index, d.decision_id
