INSERT INTO steps
SELECT * REPLACE (
    flow_id || '-' || $copy AS flow_id,
    start_ns + $later_ns AS start_ns,
    end_ns + $later_ns AS end_ns
)
FROM steps
WHERE rowid <= $last
ORDER BY rowid
