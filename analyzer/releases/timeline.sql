/*
title = "Units by thing, version and slice of the thing's own time: requests of services, flows"
params = ["since_ns", "until_ns", "slices"]
*/
WITH units AS (
    SELECT
        'service' AS kind,
        service AS subject,
        resource ->> '/service.version' AS version,
        start_ns,
        status = 'error' OR coalesce(http_status_code >= 500, false) AS failed,
        CAST(NULL AS BOOLEAN) AS unsound,
        false AS is_unknown_sampling
    FROM spans
    WHERE kind IN ('server', 'consumer') AND end_ns IS NOT NULL
    UNION ALL
    SELECT
        a.kind,
        a.subject,
        a.version,
        f.start_ns,
        CASE
            WHEN f.outcome IN ('unknown', 'in_progress') THEN NULL
            ELSE f.outcome IN ('failed', 'compensation_failed', 'partially_compensated')
        END,
        CASE
            WHEN s.is_violated OR f.outcome IN ('compensation_failed', 'partially_compensated')
                THEN true
            WHEN s.is_unknown OR f.outcome IN ('unknown', 'in_progress') THEN NULL
            ELSE false
        END,
        f.sampling = 'unknown'
    FROM flow_arms AS a
    INNER JOIN flows AS f ON a.flow_id = f.flow_id
    LEFT JOIN (
        SELECT
            flow_id,
            bool_or(verdict = 'violation') AS is_violated,
            bool_or(verdict IN ('unknown', 'open')) AS is_unknown
        FROM sagas
        GROUP BY flow_id
    ) AS s ON f.flow_id = s.flow_id
),

asked AS (
    SELECT * FROM units WHERE version <> '' AND start_ns >= $since_ns AND start_ns < $until_ns
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
