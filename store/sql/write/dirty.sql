MERGE INTO dirty_traces AS d
USING (SELECT DISTINCT trace_id::UUID AS trace_id FROM incoming) AS i
ON d.trace_id = i.trace_id
WHEN MATCHED THEN UPDATE SET generation = (SELECT generation FROM store_meta)
WHEN NOT MATCHED THEN INSERT VALUES (i.trace_id, (SELECT generation FROM store_meta))
