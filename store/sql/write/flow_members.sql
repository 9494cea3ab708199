INSERT INTO flow_members BY NAME
SELECT * FROM incoming
