/*
title = "What the decisions of some flows were like, value by value"
params = ["flow_ids", "distinct_max"]
columns = ["source", "service", "attribute", "value", "places", "numbers"]
*/
WITH chosen AS (
    SELECT * FROM placed_flows($flow_ids)
),

made AS (
    SELECT
        c.place,
        unnest(f.decision_ids) AS decision_id
    FROM chosen AS c
    INNER JOIN flows AS f ON c.flow_id = f.flow_id
),

known_of AS (
    SELECT
        m.place,
        coalesce(d.record ->> '/actor/service', '') AS service,
        d.confidence_value::DOUBLE AS confidence,
        unnest([
            {'attribute': 'chosen', 'value': nullif(d.chosen, '')},
            {'attribute': 'model', 'value': d.model_name},
            {'attribute': 'model version', 'value': d.model_version},
            {'attribute': 'policy', 'value': d.policy_id},
            {'attribute': 'policy version', 'value': d.policy_version},
            {'attribute': 'gate', 'value': d.policy_outcome},
            {'attribute': 'below threshold',
             'value': (d.confidence_value < d.threshold_value)::VARCHAR},
            {'attribute': 'reviewed by a person',
             'value': ((d.record -> '/human_review') IS NOT NULL)::VARCHAR}
        ], recursive := true)
    FROM made AS m
    INNER JOIN decisions AS d ON m.decision_id = d.decision_id
),

flags AS (
    SELECT
        m.place,
        coalesce(d.record ->> '/actor/service', '') AS service,
        d.record -> '/feature_flags' AS document,
        unnest(json_keys(d.record, '/feature_flags')) AS flag
    FROM made AS m
    INNER JOIN decisions AS d ON m.decision_id = d.decision_id
),

facts AS (
    SELECT DISTINCT place, service, attribute, value FROM known_of WHERE value IS NOT NULL
    UNION
    SELECT DISTINCT
        place,
        service,
        'flag ' || flag AS attribute,
        json_extract_string(document, '/' || replace(replace(flag, '~', '~0'), '/', '~1')) AS value
    FROM flags
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

least AS (
    SELECT
        service,
        place,
        min(confidence) AS number
    FROM known_of
    WHERE confidence IS NOT NULL
    GROUP BY service, place
)

SELECT
    'decision' AS source,
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
    'decision' AS source,
    service,
    'least confidence' AS attribute,
    NULL AS value,
    list(place ORDER BY place) AS places,
    list(number ORDER BY place) AS numbers
FROM least
GROUP BY service
ORDER BY service, attribute, value NULLS LAST
