-- Problems of the flows that were just written.
INSERT INTO flow_problems
SELECT flow_id, name, verdict, message
FROM (
    SELECT s.flow_id, s."check" AS name, s.verdict, s.message
    FROM saga_checks AS s
    UNION ALL
    SELECT flow_id, detector AS name, verdict, message
    FROM findings
)
WHERE verdict IN ('violation', 'suspected') AND flow_id IN (SELECT flow_id FROM incoming)
ORDER BY flow_id, name, verdict, message
