MERGE INTO traces AS t
USING (
    SELECT
        trace_id::UUID AS trace_id,
        min(start_ns) AS min_ns,
        max(greatest(start_ns, end_ns)) AS max_ns,
        count(*) FILTER (is_new) AS spans
    FROM incoming
    GROUP BY ALL
) AS i
ON t.trace_id = i.trace_id
WHEN MATCHED THEN UPDATE SET
    min_ns = least(t.min_ns, i.min_ns),
    max_ns = greatest(t.max_ns, i.max_ns),
    spans = t.spans + i.spans
WHEN NOT MATCHED THEN INSERT VALUES (i.trace_id, i.min_ns, i.max_ns, i.spans)
