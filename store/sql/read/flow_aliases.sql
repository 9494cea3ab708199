SELECT flow_id
FROM flow_aliases
WHERE alias = $alias
ORDER BY flow_id
