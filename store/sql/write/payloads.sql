INSERT INTO payloads BY NAME
SELECT DISTINCT i.*
FROM incoming AS i
ANTI JOIN payloads AS known ON i.sha256 = known.sha256
