/*
title = "Attributes of the spans and resources of some flows, value by value"
params = ["row_numbers", "low_ns", "high_ns", "distinct_max", "left_out"]
columns = ["source", "service", "attribute", "value", "places", "numbers"]
*/
-- Values of an attribute with few of them come as rows; of one with many, the largest number per
-- flow where all are numbers; any other with many is an id and only named. `places` are places
-- in row_numbers, which are of flows, counted from 1. Until the end a value is its JSON text:
-- numbers have no quotes. The spans of the flows lie between low_ns and high_ns. By row number: what
-- is wide is read of these flows and spans only. DISTINCT and UNION where nothing is there twice:
-- DuckDB 2.0.0 fails at times where one join hands its rows to the next (its issue 24807).
WITH placed AS (
    SELECT
        unnest($row_numbers::BIGINT[]) AS row_number,
        generate_subscripts($row_numbers::BIGINT[], 1) AS place
),

visited AS (
    SELECT DISTINCT
        p.place,
        f.flow_id,
        f.span_count,
        TRY_CAST(unnest(f.trace_ids) AS UUID) AS trace_id
    FROM placed AS p
    INNER JOIN flows AS f ON p.row_number = f.rowid
),

-- A flow with as many spans as its traces has all of them: no need to look for them one by one.
sized AS MATERIALIZED (
    SELECT
        v.place,
        v.flow_id,
        v.trace_id,
        v.span_count = sum(t.spans) OVER (PARTITION BY v.place) AS is_whole
    FROM visited AS v
    INNER JOIN traces AS t ON v.trace_id = t.trace_id
),

held AS (
    SELECT DISTINCT
        c.place,
        m.trace_id,
        m.span_id
    FROM (SELECT DISTINCT place, flow_id FROM sized WHERE NOT is_whole) AS c
    INNER JOIN flow_members AS m ON c.flow_id = m.flow_id
),

found AS MATERIALIZED (
    SELECT
        w.place,
        s.rowid AS row_number
    FROM sized AS w
    INNER JOIN spans AS s ON w.trace_id = s.trace_id
    WHERE w.is_whole AND s.start_ns BETWEEN $low_ns AND $high_ns
    UNION
    SELECT
        h.place,
        s.rowid AS row_number
    FROM held AS h
    INNER JOIN spans AS s ON h.trace_id = s.trace_id AND h.span_id = s.span_id
    WHERE s.start_ns BETWEEN $low_ns AND $high_ns
),

members AS MATERIALIZED (
    SELECT
        f.place,
        s.service,
        s.attributes,
        s.resource
    FROM found AS f
    INNER JOIN spans AS s ON f.row_number = s.rowid
),

-- Many spans say the same of what they come from.
resources AS (
    SELECT
        service,
        resource,
        list(DISTINCT place) AS places
    FROM members
    GROUP BY service, resource
),

entries AS (
    SELECT
        [place] AS places,
        'span' AS source,
        service,
        unnest(map_entries(CAST(attributes AS MAP(VARCHAR, JSON)))) AS entry
    FROM members
    UNION ALL
    SELECT
        places,
        'resource' AS source,
        service,
        unnest(map_entries(CAST(resource AS MAP(VARCHAR, JSON)))) AS entry
    FROM resources
),

facts AS MATERIALIZED (
    SELECT
        source,
        service,
        entry.key AS attribute,
        entry.value::VARCHAR AS value,
        list_sort(list_distinct(flatten(list(places)))) AS places
    FROM entries
    WHERE
        entry.key NOT IN (SELECT unnest($left_out::VARCHAR[]))
        AND entry.value::VARCHAR <> 'null'
    GROUP BY ALL
),

sizes AS (
    SELECT
        source,
        service,
        attribute,
        count(*) AS distinct_values,
        bool_and(regexp_matches(value, '^[-0-9]')) AS numeric
    FROM facts
    GROUP BY source, service, attribute
),

numbered AS (
    SELECT
        f.source,
        f.service,
        f.attribute,
        unnest(f.places) AS place,
        try_cast(f.value AS DOUBLE) AS number
    FROM facts AS f
    INNER JOIN sizes AS s USING (source, service, attribute)
    WHERE s.numeric AND s.distinct_values > $distinct_max
),

largest AS (
    SELECT
        source,
        service,
        attribute,
        place,
        max(number) AS number
    FROM numbered
    GROUP BY source, service, attribute, place
)

SELECT
    f.source,
    f.service,
    f.attribute,
    f.value::JSON ->> '$' AS value,
    f.places,
    NULL::DOUBLE[] AS numbers
FROM facts AS f
INNER JOIN sizes AS s USING (source, service, attribute)
WHERE s.distinct_values <= $distinct_max
UNION ALL
SELECT
    source,
    service,
    attribute,
    NULL AS value,
    list(place ORDER BY place) AS places,
    list(number ORDER BY place) AS numbers
FROM largest
WHERE number IS NOT NULL
GROUP BY source, service, attribute
UNION ALL
SELECT
    source,
    service,
    attribute,
    NULL AS value,
    NULL AS places,
    NULL AS numbers
FROM sizes
WHERE NOT numeric AND distinct_values > $distinct_max
ORDER BY source, service, attribute, value NULLS LAST
