-- What flows left standing, one row for each flow and currency: the sums of `residual_effects`.
CREATE TABLE flow_effects (
    flow_id VARCHAR,
    start_ns BIGINT, -- of the flow
    currency VARCHAR,
    amount DECIMAL(38, 9),
    effects BIGINT,
    told BIGINT -- effects that tell an amount
)
