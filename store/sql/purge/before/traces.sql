CREATE OR REPLACE TEMP TABLE purge_traces AS
SELECT trace_id
FROM traces
WHERE trace_id NOT IN (SELECT trace_id FROM purge_kept)
