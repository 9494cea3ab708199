-- Schema 0 kept only the content hash; the ledger knows who read those bytes last.
SELECT
    rejects.*,
    last_read.reader,
    last_read.rules_sha256
FROM rejects
LEFT JOIN (
    SELECT *
    FROM batches
    QUALIFY row_number() OVER (
        PARTITION BY content_sha256 ORDER BY generation DESC, reader DESC, rules_sha256 DESC
    ) = 1
) AS last_read ON rejects.content_sha256 = last_read.content_sha256
