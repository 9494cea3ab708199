-- Ids a flow would have had with less data, and may have had in older answers.
CREATE TABLE flow_aliases (
    alias VARCHAR,
    flow_id VARCHAR
)
