DELETE FROM logs
WHERE trace_id IS NULL
    AND json_extract_string(attributes, '/retrospan.flow.id') IN (SELECT flow_id FROM purge_flows)
