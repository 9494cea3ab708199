/*
title = "What the steps of some flows were like, value by value"
params = ["flow_ids", "first_ns", "distinct_max"]
columns = ["source", "service", "attribute", "value", "places", "numbers"]
*/
-- No step of these flows, and no try of one, begins before first_ns. DISTINCT: see attributes.sql.
WITH run AS MATERIALIZED (
    SELECT DISTINCT
        c.place,
        s.service,
        s.flow_id,
        s.ordinal,
        CASE WHEN s.callee IN ('', s.name) THEN s.name ELSE s.name || ' at ' || s.callee END
            AS step,
        s.outcome,
        s.attempt_count,
        s.end_ns - s.start_ns AS duration_ns
    FROM placed_flows($flow_ids) AS c
    INNER JOIN steps AS s ON c.flow_id = s.flow_id
    WHERE s.start_ns >= $first_ns
),

tries AS MATERIALIZED (
    SELECT
        r.place,
        r.service,
        r.step,
        a.status,
        a.breaker_state,
        CASE WHEN a.outcome <> 'ok' AND a.took_effect THEN 'true' END AS hidden
    FROM run AS r
    INNER JOIN attempts AS a ON r.flow_id = a.flow_id AND r.ordinal = a.step_ordinal
    WHERE
        a.start_ns >= $first_ns
        AND a.flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
),

facts AS (
    SELECT DISTINCT place, service, step || ': ran' AS attribute, 'true' AS value FROM run
    UNION ALL
    SELECT DISTINCT place, service, step || ': outcome' AS attribute, outcome AS value FROM run
    UNION ALL
    SELECT DISTINCT
        place, service, step || ': attempts' AS attribute, attempt_count::VARCHAR AS value
    FROM run
    UNION ALL
    SELECT DISTINCT place, service, step || ': status' AS attribute, status AS value FROM tries
    UNION ALL
    SELECT DISTINCT place, service, step || ': breaker' AS attribute, breaker_state AS value
    FROM tries
    UNION ALL
    SELECT DISTINCT
        place, service, step || ': failed and took effect' AS attribute, hidden AS value
    FROM tries
),

sizes AS (
    SELECT
        service,
        attribute,
        count(DISTINCT value) AS distinct_values
    FROM facts
    WHERE value IS NOT NULL
    GROUP BY service, attribute
),

longest AS (
    SELECT
        service,
        step || ': duration_ns' AS attribute,
        place,
        max(duration_ns)::DOUBLE AS number
    FROM run
    WHERE duration_ns IS NOT NULL
    GROUP BY service, step, place
)

SELECT
    'step' AS source,
    f.service,
    f.attribute,
    f.value,
    list(f.place ORDER BY f.place) AS places,
    NULL::DOUBLE[] AS numbers
FROM facts AS f
INNER JOIN sizes AS s ON f.service = s.service AND f.attribute = s.attribute
WHERE s.distinct_values <= $distinct_max AND f.value IS NOT NULL
GROUP BY f.service, f.attribute, f.value
UNION ALL
SELECT
    'step' AS source,
    service,
    attribute,
    NULL AS value,
    list(place ORDER BY place) AS places,
    list(number ORDER BY place) AS numbers
FROM longest
GROUP BY service, attribute
ORDER BY service, attribute, value NULLS LAST
