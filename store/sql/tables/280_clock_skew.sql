-- How far the clock of `callee` runs ahead of `caller`'s, over their calls; for display only.
CREATE TABLE clock_skew (
    caller VARCHAR,
    callee VARCHAR,
    calls BIGINT,
    offset_ns BIGINT,
    low_ns BIGINT,
    high_ns BIGINT
)
