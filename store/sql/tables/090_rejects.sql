CREATE TABLE rejects (
    content_sha256 VARCHAR,
    source VARCHAR,
    ordinal INTEGER,
    record VARCHAR,
    reason VARCHAR,
    excerpt VARCHAR
)
