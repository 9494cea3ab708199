-- Schema 0 knew no sagas by column; the attribute itself was always kept. It stored a hash of each
-- span's content, which is made now only where two versions of a span meet.
SELECT
    * EXCLUDE (content_hash),
    json_extract_string(attributes, '/retrospan.saga.id') AS saga_id
FROM spans
