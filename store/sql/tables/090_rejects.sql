-- `content_sha256`, `reader`, `rules_sha256` are those of the batch in the ledger.
CREATE TABLE rejects (
    content_sha256 VARCHAR,
    reader VARCHAR,
    rules_sha256 VARCHAR,
    source VARCHAR,
    ordinal INTEGER,
    record VARCHAR,
    reason VARCHAR,
    excerpt VARCHAR
)
