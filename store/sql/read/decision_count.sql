SELECT count(*)
FROM decisions
WHERE leaf_index IS NOT NULL
