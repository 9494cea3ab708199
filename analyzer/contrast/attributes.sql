/*
title = "Attributes of the spans and resources of some flows, value by value"
params = ["flow_ids", "distinct_max", "left_out"]
columns = ["source", "service", "attribute", "value", "known", "places", "numbers"]
*/
-- Values of an attribute with few of them come as rows; of one with many, the largest number per
-- flow where all are numbers; any other with many is an id and only counted. `places` are places
-- in flow_ids, counted from 1. Until the end a value is its JSON text: numbers have no quotes.
WITH chosen AS (
    SELECT * FROM placed_flows($flow_ids)
),

members AS (
    SELECT
        c.place,
        s.service,
        s.attributes,
        s.resource
    FROM chosen AS c
    INNER JOIN flow_members AS m ON c.flow_id = m.flow_id
    INNER JOIN spans AS s ON m.trace_id = s.trace_id AND m.span_id = s.span_id
),

resources AS (
    SELECT DISTINCT
        place,
        service,
        resource
    FROM members
),

entries AS (
    SELECT
        place,
        'span' AS source,
        service,
        unnest(map_entries(CAST(attributes AS MAP(VARCHAR, JSON)))) AS entry
    FROM members
    UNION ALL
    SELECT
        place,
        'resource' AS source,
        service,
        unnest(map_entries(CAST(resource AS MAP(VARCHAR, JSON)))) AS entry
    FROM resources
),

facts AS MATERIALIZED (
    SELECT DISTINCT
        place,
        source,
        service,
        entry.key AS attribute,
        entry.value::VARCHAR AS value
    FROM entries
    WHERE
        entry.key NOT IN (SELECT unnest($left_out::VARCHAR[]))
        AND entry.value::VARCHAR <> 'null'
),

sizes AS (
    SELECT
        source,
        service,
        attribute,
        count(DISTINCT value) AS distinct_values,
        count(DISTINCT place) AS known,
        bool_and(regexp_matches(value, '^[-0-9]')) AS numeric
    FROM facts
    GROUP BY source, service, attribute
),

largest AS (
    SELECT
        f.source,
        f.service,
        f.attribute,
        s.known,
        f.place,
        max(try_cast(f.value AS DOUBLE)) AS number
    FROM facts AS f
    INNER JOIN sizes AS s USING (source, service, attribute)
    WHERE s.numeric AND s.distinct_values > $distinct_max
    GROUP BY f.source, f.service, f.attribute, s.known, f.place
)

SELECT
    f.source,
    f.service,
    f.attribute,
    f.value::JSON ->> '$' AS value,
    s.known,
    list(f.place ORDER BY f.place) AS places,
    NULL::DOUBLE[] AS numbers
FROM facts AS f
INNER JOIN sizes AS s USING (source, service, attribute)
WHERE s.distinct_values <= $distinct_max
GROUP BY f.source, f.service, f.attribute, f.value, s.known
UNION ALL
SELECT
    source,
    service,
    attribute,
    NULL AS value,
    known,
    list(place ORDER BY place) AS places,
    list(number ORDER BY place) AS numbers
FROM largest
WHERE number IS NOT NULL
GROUP BY source, service, attribute, known
UNION ALL
SELECT
    source,
    service,
    attribute,
    NULL AS value,
    known,
    NULL AS places,
    NULL AS numbers
FROM sizes
WHERE NOT numeric AND distinct_values > $distinct_max
ORDER BY source, service, attribute, value NULLS LAST
