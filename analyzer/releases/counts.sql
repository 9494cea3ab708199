/*
title = "Bad units and variants in each arm of flows; bad units in each arm of services"
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
)

SELECT
    arms.arm,
    units.variant,
    count(*) AS n,
    count(units.failed) AS failed_known,
    count(*) FILTER (WHERE units.failed) AS failed,
    count(units.unsound) AS unsound_known,
    count(*) FILTER (WHERE units.unsound) AS unsound,
    count(*) FILTER (WHERE units.is_unknown_sampling) AS unknown_sampling,
    min(units.flow_id) AS example
FROM release_units AS units
INNER JOIN arms
    ON
        units.kind = arms.kind
        AND units.subject = arms.subject
        AND units.version = arms.version
        AND units.start_ns >= arms.since_ns
        AND units.start_ns < arms.until_ns
GROUP BY ALL
ORDER BY arms.arm, n DESC, units.variant
