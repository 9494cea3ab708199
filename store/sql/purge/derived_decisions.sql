-- Decisions that were told by a span alone stand in no log: they go wholly.
DELETE FROM decisions
WHERE leaf_index IS NULL AND decision_id IN (SELECT decision_id FROM purge_decisions)
