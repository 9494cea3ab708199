-- Incidents that touch a flow in scope.
SELECT DISTINCT i.incident_id
FROM (SELECT incident_id, unnest(flow_ids) AS flow_id FROM incidents) AS i
WHERE
    i.flow_id IN (
        SELECT flow_id
        FROM heads_within($since_ns::BIGINT, $until_ns::BIGINT, $environment::VARCHAR, $services::VARCHAR[])
    )
ORDER BY i.incident_id
