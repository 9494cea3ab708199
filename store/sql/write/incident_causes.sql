INSERT INTO incident_causes BY NAME
SELECT * FROM incoming
