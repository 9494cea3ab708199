INSERT INTO store_meta VALUES ($version, $ddl_sha256, 0)
