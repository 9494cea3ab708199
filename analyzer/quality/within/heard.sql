/*
title = "Services that any span is of"
params = []
*/
SELECT DISTINCT service
FROM spans
ORDER BY service
