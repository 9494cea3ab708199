CREATE MACRO body_head(sha256) AS md5_number_lower(sha256)
