-- When each version of each kind of flow was first seen in scope, and in which flow.
SELECT
    name,
    version,
    min(start_ns) AS start_ns,
    arg_min(flow_id, (start_ns, flow_id)) AS flow_id
FROM heads_within($since_ns::BIGINT, $until_ns::BIGINT, $environment::VARCHAR, $services::VARCHAR[])
GROUP BY name, version
ORDER BY start_ns, flow_id
