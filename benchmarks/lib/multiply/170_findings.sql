-- A finding about no single flow is about all of them already.
INSERT INTO findings
SELECT * REPLACE (
    flow_id || '-' || $copy AS flow_id,
    finding_id || '-' || $copy AS finding_id
)
FROM findings
WHERE rowid <= $last AND flow_id IS NOT NULL
ORDER BY rowid
