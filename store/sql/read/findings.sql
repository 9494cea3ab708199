SELECT
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
WHERE $all OR flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
ORDER BY detector, flow_id NULLS FIRST, finding_id
