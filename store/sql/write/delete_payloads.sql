-- Of these bodies, those that no attempt shows.
DELETE FROM payloads
WHERE sha256 IN (
    SELECT sha256
    FROM outdated
    EXCEPT
    (
        SELECT request_sha256
        FROM attempts
        UNION ALL
        SELECT response_sha256
        FROM attempts
    )
)
