-- Of these ids, those that no flow bears.
SELECT id
FROM (SELECT unnest($flow_ids::VARCHAR[]) AS id)
WHERE id NOT IN (SELECT flow_id FROM flows)
ORDER BY id
