SELECT
    incident_id,
    start_ns,
    end_ns,
    declared_by,
    title,
    detected_ns,
    mitigated_ns,
    recovered_ns,
    flow_ids,
    services
FROM incidents
WHERE $low <= $high
ORDER BY start_ns, incident_id
