-- Schema 0 had no such table: no rows, with the present columns.
SELECT
    NULL::VARCHAR AS incident_id,
    NULL::BIGINT AS start_ns,
    NULL::BIGINT AS end_ns,
    NULL::VARCHAR AS declared_by,
    NULL::VARCHAR AS title,
    NULL::BIGINT AS detected_ns,
    NULL::BIGINT AS mitigated_ns,
    NULL::BIGINT AS recovered_ns,
    NULL::VARCHAR[] AS flow_ids,
    NULL::VARCHAR[] AS services
WHERE FALSE
