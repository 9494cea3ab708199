INSERT INTO span_events BY NAME
SELECT * FROM incoming
