SELECT schema_version, ddl_sha256
FROM store_meta
