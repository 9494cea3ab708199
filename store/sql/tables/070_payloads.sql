-- Request and response bodies of attempts, as JSON text, each once.
CREATE TABLE payloads (
    sha256 VARCHAR,
    body JSON
)
