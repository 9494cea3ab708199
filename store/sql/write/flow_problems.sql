-- Problems of the flows that were just written.
INSERT INTO flow_problems
SELECT
    p.flow_id,
    f.start_ns,
    p.name,
    p.verdict,
    p.message,
    row_number() OVER (PARTITION BY p.flow_id, p.name, p.verdict ORDER BY p.message) AS nth
FROM (
    SELECT s.flow_id, s."check" AS name, s.verdict, s.message
    FROM saga_checks AS s
    UNION ALL
    SELECT flow_id, detector AS name, verdict, message
    FROM findings
) AS p
INNER JOIN flows AS f ON p.flow_id = f.flow_id
WHERE p.verdict IN ('violation', 'suspected') AND p.flow_id IN (SELECT flow_id FROM incoming)
ORDER BY p.flow_id, p.name, p.verdict, p.message
