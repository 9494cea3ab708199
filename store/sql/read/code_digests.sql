SELECT DISTINCT code_digest
FROM flows
ORDER BY code_digest
