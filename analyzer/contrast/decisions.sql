/*
title = "What the decisions of some flows were like, value by value"
params = ["row_numbers", "distinct_max"]
columns = ["source", "service", "attribute", "value", "places", "numbers"]
*/
-- `row_numbers` are those of flows, `places` in them count from 1. By row number: what is wide is
-- read of these flows and decisions only. DISTINCT: see attributes.sql.
WITH placed AS (
    SELECT
        unnest($row_numbers::BIGINT[]) AS row_number,
        generate_subscripts($row_numbers::BIGINT[], 1) AS place
),

named AS (
    SELECT DISTINCT
        p.place,
        unnest(f.decision_ids) AS decision_id
    FROM placed AS p
    INNER JOIN flows AS f ON p.row_number = f.rowid
),

found AS (
    SELECT DISTINCT
        n.place,
        d.rowid AS row_number
    FROM named AS n
    INNER JOIN decisions AS d ON n.decision_id = d.decision_id
),

made AS MATERIALIZED (
    SELECT
        f.place,
        coalesce(d.record ->> '/actor/service', '') AS service,
        d.chosen,
        d.model_name,
        d.model_version,
        d.policy_id,
        d.policy_version,
        d.policy_outcome,
        d.confidence_value,
        d.threshold_value,
        (d.record -> '/human_review') IS NOT NULL AS reviewed,
        d.record -> '/feature_flags' AS flags
    FROM found AS f
    INNER JOIN decisions AS d ON f.row_number = d.rowid
),

known_of AS (
    SELECT
        place,
        service,
        confidence_value::DOUBLE AS confidence,
        unnest([
            {'attribute': 'chosen', 'value': nullif(chosen, '')},
            {'attribute': 'model', 'value': model_name},
            {'attribute': 'model version', 'value': model_version},
            {'attribute': 'policy', 'value': policy_id},
            {'attribute': 'policy version', 'value': policy_version},
            {'attribute': 'gate', 'value': policy_outcome},
            {'attribute': 'below threshold',
             'value': (confidence_value < threshold_value)::VARCHAR},
            {'attribute': 'reviewed by a person', 'value': reviewed::VARCHAR}
        ], recursive := true)
    FROM made
),

flagged AS (
    SELECT
        place,
        service,
        flags,
        unnest(json_keys(flags)) AS flag
    FROM made
),

facts AS (
    SELECT DISTINCT place, service, attribute, value FROM known_of WHERE value IS NOT NULL
    UNION
    SELECT DISTINCT
        place,
        service,
        'flag ' || flag AS attribute,
        json_extract_string(flags, '/' || replace(replace(flag, '~', '~0'), '/', '~1')) AS value
    FROM flagged
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
