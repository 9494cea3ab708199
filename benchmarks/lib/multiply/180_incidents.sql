INSERT INTO incidents
SELECT * REPLACE (
    incident_id || '-' || $copy AS incident_id,
    start_ns + $later_ns AS start_ns,
    end_ns + $later_ns AS end_ns,
    detected_ns + $later_ns AS detected_ns,
    mitigated_ns + $later_ns AS mitigated_ns,
    recovered_ns + $later_ns AS recovered_ns,
    list_transform(flow_ids, lambda id: id || '-' || $copy) AS flow_ids
)
FROM incidents
WHERE rowid <= $last
ORDER BY rowid
