/*
title = "Durations in each arm, rounded down to three significant digits, and how many there are"
params = ["arms", "kinds", "subjects", "versions", "sinces", "untils"]
*/
WITH arms AS (
    SELECT
        unnest($arms::BIGINT[]) AS arm,
        unnest($kinds::VARCHAR[]) AS kind,
        unnest($subjects::VARCHAR[]) AS subject,
        unnest($versions::VARCHAR[]) AS version,
        unnest($sinces::BIGINT[]) AS since_ns,
        unnest($untils::BIGINT[]) AS until_ns
),
units AS (
    SELECT
        'service' AS kind,
        service AS subject,
        resource ->> '/service.version' AS version,
        start_ns,
        end_ns - start_ns AS duration_ns
    FROM spans
    WHERE kind IN ('server', 'consumer') AND end_ns >= start_ns
    UNION ALL
    SELECT
        a.kind,
        a.subject,
        a.version,
        f.start_ns,
        f.end_ns - f.start_ns
    FROM flow_arms AS a
    INNER JOIN flows AS f ON a.flow_id = f.flow_id
    WHERE f.end_ns >= f.start_ns AND f.outcome NOT IN ('unknown', 'in_progress')
),
rounded AS (
    SELECT
        arms.arm,
        units.duration_ns,
        (10::BIGINT) ** greatest(length(units.duration_ns::VARCHAR) - 3, 0) AS unit
    FROM units
    INNER JOIN arms
        ON
            units.kind = arms.kind
            AND units.subject = arms.subject
            AND units.version = arms.version
            AND units.start_ns >= arms.since_ns
            AND units.start_ns < arms.until_ns
)
SELECT
    arm,
    duration_ns - duration_ns % unit::BIGINT AS duration_ns,
    count(*) AS n
FROM rounded
GROUP BY ALL
ORDER BY arm, duration_ns
