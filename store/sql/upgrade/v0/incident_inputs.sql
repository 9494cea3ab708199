-- That schema kept no files with an incident.
SELECT
    NULL::VARCHAR AS incident_id,
    NULL::VARCHAR AS kind,
    NULL::VARCHAR AS name,
    NULL::VARCHAR AS sha256,
    NULL::BIGINT AS records,
    NULL::JSON AS content
WHERE false
