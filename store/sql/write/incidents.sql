INSERT INTO incidents BY NAME
SELECT * FROM incoming
