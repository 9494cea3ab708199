INSERT INTO incident_inputs BY NAME
SELECT * FROM incoming
