UPDATE decision_leaves SET salt = NULL
WHERE salt IS NOT NULL AND decision_id IN (SELECT decision_id FROM purge_decisions)
