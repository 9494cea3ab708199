INSERT INTO payloads BY NAME
SELECT DISTINCT
    body_head(i.sha256) AS head,
    i.sha256,
    i.body
FROM incoming AS i
ANTI JOIN (
    SELECT sha256
    FROM payloads
    WHERE rowid IN (
        SELECT rowid FROM payloads WHERE head IN (SELECT body_head(sha256) FROM incoming)
    )
) AS known ON i.sha256 = known.sha256
