SELECT generation
FROM store_meta
