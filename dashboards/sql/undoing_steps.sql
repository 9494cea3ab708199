-- Names by which steps of these flows that undo others may be meant.
SELECT DISTINCT
    flow_id,
    unnest([saga_step, name, step_id]) AS step
FROM steps
WHERE role = 'compensation' AND flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
ORDER BY flow_id, step
