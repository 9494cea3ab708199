/*
title = "What flows of a kind have in common, for the kinds of facts"
params = []
*/
SELECT kind, contents::VARCHAR AS contents
FROM flow_kinds
WHERE kind IN (SELECT facts FROM flow_heads)
ORDER BY kind
