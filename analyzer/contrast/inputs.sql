/*
title = "What some flows were asked for and ran as, value by value"
params = ["flow_ids", "distinct_max"]
columns = ["source", "service", "attribute", "value", "places", "numbers"]
*/
WITH chosen AS (
    SELECT * FROM placed_flows($flow_ids)
),

asked AS (
    SELECT
        c.place,
        f.service,
        f.input,
        unnest(json_keys(f.input)) AS name
    FROM chosen AS c
    INNER JOIN flows AS f ON c.flow_id = f.flow_id
    WHERE json_type(f.input) = 'OBJECT'
),

told AS (
    SELECT
        place,
        service,
        'input ' || name AS attribute,
        json_type(input, '/' || replace(replace(name, '~', '~0'), '/', '~1')) AS sort,
        json_extract_string(input, '/' || replace(replace(name, '~', '~0'), '/', '~1')) AS value
    FROM asked
),

facts AS (
    SELECT place, service, attribute, value, sort IN ('BIGINT', 'UBIGINT', 'DOUBLE')
        OR regexp_full_match(value, '-?[0-9]+[.][0-9]+') AS numeric
    FROM told
    WHERE value IS NOT NULL AND sort NOT IN ('OBJECT', 'ARRAY')
    UNION ALL
    SELECT c.place, f.service, 'flow version' AS attribute, f.version AS value, false AS numeric
    FROM chosen AS c
    INNER JOIN flows AS f ON c.flow_id = f.flow_id
    WHERE f.version <> ''
    UNION ALL
    SELECT c.place, f.service, 'flow name' AS attribute, f.name AS value, false AS numeric
    FROM chosen AS c
    INNER JOIN flows AS f ON c.flow_id = f.flow_id
),

sizes AS (
    SELECT
        service,
        attribute,
        count(DISTINCT value) AS distinct_values,
        bool_and(numeric) AS numeric
    FROM facts
    GROUP BY service, attribute
)

SELECT
    'flow' AS source,
    f.service,
    f.attribute,
    f.value,
    list(f.place ORDER BY f.place) AS places,
    NULL::DOUBLE[] AS numbers
FROM facts AS f
INNER JOIN sizes AS s ON f.service = s.service AND f.attribute = s.attribute
WHERE s.distinct_values <= $distinct_max
GROUP BY f.service, f.attribute, f.value
UNION ALL
SELECT
    'flow' AS source,
    f.service,
    f.attribute,
    NULL AS value,
    list(f.place ORDER BY f.place) FILTER (s.numeric) AS places,
    list(try_cast(f.value AS DOUBLE) ORDER BY f.place) FILTER (s.numeric) AS numbers
FROM facts AS f
INNER JOIN sizes AS s ON f.service = s.service AND f.attribute = s.attribute
WHERE s.distinct_values > $distinct_max
GROUP BY f.service, f.attribute
ORDER BY service, attribute, value NULLS LAST
