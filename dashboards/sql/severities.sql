-- Findings about these flows that say violated or suspected, by flow and severity.
SELECT flow_id, severity, count(*) AS findings
FROM findings
WHERE verdict IN ('violation', 'suspected') AND flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
GROUP BY flow_id, severity
ORDER BY flow_id, severity
