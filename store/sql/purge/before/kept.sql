-- Traces that stay: those with anything recorded since, those whose flows are not derived yet, and
-- all that share a flow with one that stays. So no flow is ever purged by half.
CREATE OR REPLACE TEMP TABLE purge_kept AS
WITH RECURSIVE memberships AS (
    SELECT DISTINCT flow_id, trace_id
    FROM flow_members
),

kept (trace_id) AS (
    (
        SELECT trace_id FROM traces WHERE max_ns >= $before_ns
        UNION
        SELECT trace_id FROM logs WHERE trace_id IS NOT NULL AND time_ns >= $before_ns
        UNION
        SELECT trace_id FROM decisions WHERE trace_id IS NOT NULL AND time_ns >= $before_ns
        UNION
        SELECT trace_id FROM dirty_traces
    )
    UNION
    SELECT others.trace_id
    FROM kept
    INNER JOIN memberships AS own ON kept.trace_id = own.trace_id
    INNER JOIN memberships AS others ON own.flow_id = others.flow_id
)

SELECT trace_id
FROM kept
