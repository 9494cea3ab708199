-- Incidents that list a flow.
SELECT incident_id, title, start_ns, end_ns
FROM incidents
WHERE list_contains(flow_ids, $flow_id)
ORDER BY start_ns, incident_id
