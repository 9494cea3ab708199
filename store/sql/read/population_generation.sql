SELECT
    generation,
    (SELECT count(*) FROM dirty_traces) AS underived
FROM store_meta
