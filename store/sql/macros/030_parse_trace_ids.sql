-- Rows `trace_id` of a list of hex texts; what is no trace id matches nothing.
CREATE MACRO parse_trace_ids(ids) AS TABLE
SELECT DISTINCT TRY_CAST(text AS UUID) AS trace_id
FROM (SELECT unnest(ids::VARCHAR[]) AS text)
WHERE TRY_CAST(text AS UUID) IS NOT NULL
