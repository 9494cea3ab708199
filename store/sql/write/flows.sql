INSERT INTO flows BY NAME
SELECT *, $code_digest AS code_digest, $generation::BIGINT AS generation
FROM incoming
