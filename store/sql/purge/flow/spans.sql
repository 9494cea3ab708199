CREATE OR REPLACE TEMP TABLE purge_spans AS
SELECT DISTINCT m.trace_id, m.span_id
FROM flow_members AS m
SEMI JOIN purge_flows AS p ON m.flow_id = p.flow_id
