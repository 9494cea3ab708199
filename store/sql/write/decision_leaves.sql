INSERT INTO decision_leaves BY NAME
SELECT * FROM incoming
