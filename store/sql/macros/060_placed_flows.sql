-- Rows `flow_id`, `place` of a list of flow ids; places count from 1.
CREATE MACRO placed_flows(flow_ids) AS TABLE
SELECT
    unnest(flow_ids::VARCHAR[]) AS flow_id,
    generate_subscripts(flow_ids::VARCHAR[], 1) AS place
