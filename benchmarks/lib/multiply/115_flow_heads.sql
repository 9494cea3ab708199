INSERT INTO flow_heads
SELECT * REPLACE (
    flow_id || '-' || $copy AS flow_id,
    start_ns + $later_ns AS start_ns,
    end_ns + $later_ns AS end_ns,
    first_ns + $later_ns AS first_ns
)
FROM flow_heads
WHERE rowid <= $last
ORDER BY rowid
