-- The ledger: what was loaded. The first three columns are its key.
CREATE TABLE batches (
    content_sha256 VARCHAR,
    reader VARCHAR,
    rules_sha256 VARCHAR,
    source VARCHAR,
    generation BIGINT,
    spans BIGINT,
    logs BIGINT,
    decisions BIGINT,
    duplicates BIGINT,
    superseded BIGINT,
    rejected BIGINT,
    metrics BIGINT
)
