/*
title = "Where to cut a table into parts of about so many rows"
params = ["part", "rows"]
columns = ["place"]
*/
WITH places AS (
    SELECT start_ns AS place FROM spans WHERE $part = 'spans'
    UNION ALL
    SELECT time_ns AS place FROM logs WHERE $part = 'logs'
    UNION ALL
    SELECT time_ns AS place FROM logs WHERE $part = 'logs_without_trace' AND trace_id IS NULL
    UNION ALL
    SELECT coalesce(leaf_index, -1) AS place FROM decisions WHERE $part = 'decisions' AND leaf_index IS NOT NULL
),

numbered AS (
    SELECT place, row_number() OVER (ORDER BY place) AS number
    FROM places
)

SELECT DISTINCT place
FROM numbered
WHERE number % $rows::BIGINT = 0
ORDER BY place
