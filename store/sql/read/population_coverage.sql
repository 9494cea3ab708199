SELECT
    generation,
    finding_id,
    detector,
    scope,
    severity,
    flow_id,
    message,
    remedy,
    verdict,
    evidence,
    facts
FROM findings
WHERE scope = 'coverage'
ORDER BY detector, finding_id
