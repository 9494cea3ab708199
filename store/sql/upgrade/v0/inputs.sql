-- Schema 0 had no such table: an input is read again, and its batches are known by the ledger.
SELECT
    NULL::VARCHAR AS content_sha256,
    NULL::VARCHAR AS reader,
    NULL::VARCHAR AS rules_sha256,
    NULL::BIGINT AS records,
    NULL::BIGINT AS truncated,
    NULL::BIGINT AS rejected
WHERE FALSE
