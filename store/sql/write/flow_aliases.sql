INSERT INTO flow_aliases BY NAME
SELECT * FROM incoming
