-- Schema 0 knew no sagas by column; the attribute itself was always kept.
SELECT *, json_extract_string(attributes, '/retrospan.saga.id') AS saga_id
FROM spans
