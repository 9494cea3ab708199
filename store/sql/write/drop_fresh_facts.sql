DROP TABLE fresh_facts
