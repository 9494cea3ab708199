INSERT INTO span_links BY NAME
SELECT * FROM incoming
