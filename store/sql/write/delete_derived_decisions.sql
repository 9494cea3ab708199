DELETE FROM decisions
WHERE leaf_index IS NULL AND decision_id IN (SELECT decision_id FROM outdated)
