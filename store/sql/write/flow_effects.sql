-- Effects left standing by the flows that were just written.
INSERT INTO flow_effects
SELECT
    e.flow_id,
    f.start_ns,
    e.currency,
    sum(e.amount) AS amount,
    count(*) AS effects,
    count(e.amount) AS told
FROM residual_effects AS e
INNER JOIN flows AS f ON e.flow_id = f.flow_id
WHERE e.flow_id IN (SELECT flow_id FROM incoming)
GROUP BY e.flow_id, f.start_ns, e.currency
ORDER BY e.flow_id, e.currency
