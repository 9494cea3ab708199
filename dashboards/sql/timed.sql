-- Where in time the traces lie that began at a possible time, and how many did not.
SELECT
    min(min_ns) FILTER (WHERE min_ns > 0) AS first_ns,
    max(max_ns) FILTER (WHERE min_ns > 0) AS last_ns,
    count(*) FILTER (WHERE min_ns <= 0) AS untimed
FROM traces
ORDER BY untimed
