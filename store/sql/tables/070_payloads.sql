-- Request and response bodies of attempts, as JSON text, each once. They are looked for by `head`,
-- an eighth of what there is to read of hashes.
CREATE TABLE payloads (
    head UBIGINT, -- body_head(sha256)
    sha256 VARCHAR,
    body JSON
)
