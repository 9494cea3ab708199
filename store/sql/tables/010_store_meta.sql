-- One row. `generation` counts the writes that added recorded data.
CREATE TABLE store_meta (
    schema_version INTEGER,
    ddl_sha256 VARCHAR,
    generation BIGINT
)
