-- Why input records were kept aside, most frequent reason first.
SELECT reason, count(*) AS records
FROM rejects
GROUP BY reason
ORDER BY records DESC, reason
