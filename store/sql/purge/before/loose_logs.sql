-- Older log records without a trace that name no flow which stays.
DELETE FROM logs
WHERE trace_id IS NULL
    AND time_ns < $before_ns
    AND coalesce(json_extract_string(attributes, '/retrospan.flow.id'), '') NOT IN (
        SELECT flow_id
        FROM flows
        WHERE flow_id NOT IN (SELECT flow_id FROM purge_flows)
    )
