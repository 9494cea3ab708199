INSERT INTO findings BY NAME
SELECT *, (SELECT generation FROM store_meta) AS generation
FROM incoming
