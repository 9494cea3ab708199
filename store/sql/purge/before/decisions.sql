-- Older decisions that no flow and no trace needs which stays. Those already purged stay as they are.
CREATE OR REPLACE TEMP TABLE purge_decisions AS
WITH staying AS (
    SELECT flow_id, decision_ids
    FROM flows
    WHERE flow_id NOT IN (SELECT flow_id FROM purge_flows)
)

SELECT decision_id
FROM decisions
WHERE time_ns < $before_ns
    AND json_extract(record, '/retrospan.purged') IS NULL
    AND (trace_id IS NULL OR trace_id NOT IN (SELECT trace_id FROM purge_kept))
    AND (flow_id IS NULL OR flow_id NOT IN (SELECT flow_id FROM staying))
    AND decision_id NOT IN (SELECT unnest(decision_ids) FROM staying)
