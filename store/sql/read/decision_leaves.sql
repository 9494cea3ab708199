SELECT leaf_index, decision_id, leaf, salt
FROM decision_leaves
ORDER BY leaf_index, decision_id, leaf
