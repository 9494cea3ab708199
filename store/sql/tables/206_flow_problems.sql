-- What is wrong with a flow, one row for each violated or suspected check of its sagas and each such
-- finding about it: `sagas` and `findings` in a shape that can be counted.
CREATE TABLE flow_problems (
    flow_id VARCHAR,
    start_ns BIGINT, -- of the flow
    name VARCHAR, -- of the check or detector
    verdict VARCHAR,
    message VARCHAR,
    nth BIGINT -- of this name and verdict in this flow, from 1: the firsts count flows
)
