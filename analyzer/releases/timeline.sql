/*
title = "Units by thing, version and slice of the thing's own time: requests of services, flows"
params = ["since_ns", "until_ns", "slices"]
*/
WITH asked AS (
    SELECT *
    FROM release_units
    WHERE version <> '' AND start_ns >= $since_ns AND start_ns < $until_ns
),

spans_of_time AS (
    SELECT
        kind,
        subject,
        min(start_ns) AS begin_ns,
        (max(start_ns) - min(start_ns)) // $slices + 1 AS slice_ns
    FROM asked
    GROUP BY kind, subject
)

SELECT
    a.kind,
    a.subject,
    a.version,
    t.begin_ns,
    t.slice_ns,
    (a.start_ns - t.begin_ns) // t.slice_ns AS slice,
    count(*) AS n,
    count(failed) AS failed_known,
    count(*) FILTER (WHERE failed) AS failed,
    count(unsound) AS unsound_known,
    count(*) FILTER (WHERE unsound) AS unsound,
    count(*) FILTER (WHERE is_unknown_sampling) AS unknown_sampling,
    min(start_ns) AS first_ns,
    max(start_ns) AS last_ns
FROM asked AS a
INNER JOIN spans_of_time AS t ON a.kind = t.kind AND a.subject = t.subject
GROUP BY ALL
ORDER BY a.kind, a.subject, a.version, slice
