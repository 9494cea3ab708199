/*
title = "What some flows were asked for and ran as, value by value"
params = ["row_numbers", "distinct_max"]
columns = ["source", "service", "attribute", "value", "places", "numbers"]
*/
-- `row_numbers` are those of flows, `places` in them count from 1. UNION: see attributes.sql.
WITH placed AS (
    SELECT
        unnest($row_numbers::BIGINT[]) AS row_number,
        generate_subscripts($row_numbers::BIGINT[], 1) AS place
),

chosen AS MATERIALIZED (
    SELECT
        p.place,
        f.service,
        f.name,
        f.version,
        f.input
    FROM placed AS p
    INNER JOIN flows AS f ON p.row_number = f.rowid
),

asked AS (
    SELECT
        place,
        service,
        input,
        unnest(json_keys(input)) AS name
    FROM chosen
    WHERE json_type(input) = 'OBJECT'
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
    UNION
    SELECT place, service, 'flow version' AS attribute, version AS value, false AS numeric
    FROM chosen
    WHERE version <> ''
    UNION
    SELECT place, service, 'flow name' AS attribute, name AS value, false AS numeric
    FROM chosen
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
