-- Inputs that were loaded to their end. The first three columns are the key.
CREATE TABLE inputs (
    content_sha256 VARCHAR,
    reader VARCHAR,
    rules_sha256 VARCHAR,
    records BIGINT,
    truncated BIGINT,
    rejected BIGINT
)
