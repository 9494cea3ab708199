CREATE OR REPLACE TEMP TABLE purge_flows AS
SELECT flow_id
FROM flows
WHERE flow_id NOT IN (
        SELECT m.flow_id
        FROM flow_members AS m
        SEMI JOIN purge_kept AS k ON m.trace_id = k.trace_id
    )
    AND (
        flow_id IN (SELECT flow_id FROM flow_members)
        OR coalesce(end_ns, start_ns) < $before_ns
    )
