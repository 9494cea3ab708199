CREATE OR REPLACE TEMP TABLE purge_flows AS
SELECT flow_id
FROM flows
WHERE flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
