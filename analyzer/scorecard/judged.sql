/*
title = "What was answered of each flow's duplicates and of the steps that must succeed"
params = []
columns = ["flow_id", "question", "verdict"]
*/
SELECT DISTINCT flow_id, item."check" AS question, item.verdict
FROM (
    SELECT
        flow_id,
        unnest(from_json(checks, '[{"check": "VARCHAR", "verdict": "VARCHAR"}]')) AS item
    FROM sagas
)
WHERE item."check" IN ('S1', 'S2', 'S4', 'S8', 'S12') AND item.verdict <> 'not_applicable'
UNION ALL
SELECT DISTINCT flow_id, detector, verdict
FROM findings
WHERE detector = 'duplicate_effect' AND flow_id IS NOT NULL
ORDER BY flow_id, question, verdict
