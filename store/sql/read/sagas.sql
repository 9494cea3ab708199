SELECT flow_id, saga_id, name, verdict, checks, residuals
FROM sagas
WHERE $all OR flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
ORDER BY flow_id, saga_id
