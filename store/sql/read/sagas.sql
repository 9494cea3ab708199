-- By row number: only the column that chooses is read as a whole.
SELECT flow_id, saga_id, name, verdict, checks, residuals
FROM sagas
WHERE $all
    OR rowid IN (
        SELECT rowid FROM sagas WHERE flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
    )
ORDER BY flow_id, saga_id
LIMIT $limit
