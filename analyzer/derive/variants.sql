/*
title = "Variants of flows with their counts, the most frequent of a kind of flow first"
params = ["everything", "flow_ids"]
columns = ["name", "variant", "flows", "flows_of_name", "outcomes", "outcome_flows", "start_ns", "until_ns", "duration_ns", "example"]
*/
WITH chosen AS (
    SELECT *
    FROM flows
    WHERE $everything OR flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
),

by_outcome AS (
    SELECT
        name,
        variant,
        outcome,
        count(*) AS outcome_flows
    FROM chosen
    GROUP BY name, variant, outcome
),

outcomes AS (
    SELECT
        name,
        variant,
        list(outcome ORDER BY outcome) AS outcomes,
        list(outcome_flows ORDER BY outcome) AS outcome_flows
    FROM by_outcome
    GROUP BY name, variant
),

sums AS (
    SELECT
        name,
        variant,
        count(*) AS flows,
        min(start_ns) AS start_ns,
        max(start_ns) AS until_ns,
        quantile_disc(end_ns - start_ns, 0.5) AS duration_ns,
        arg_min(flow_id, (start_ns, flow_id)) AS example
    FROM chosen
    GROUP BY name, variant
)

SELECT
    sums.name,
    sums.variant,
    sums.flows,
    (sum(sums.flows) OVER (PARTITION BY sums.name))::BIGINT AS flows_of_name,
    outcomes.outcomes,
    outcomes.outcome_flows,
    sums.start_ns,
    sums.until_ns,
    sums.duration_ns,
    sums.example
FROM sums
INNER JOIN outcomes ON sums.name = outcomes.name AND sums.variant = outcomes.variant
ORDER BY sums.name, sums.flows DESC, sums.variant
