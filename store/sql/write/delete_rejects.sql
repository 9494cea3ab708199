-- A newer reader judges the same bytes anew.
DELETE FROM rejects
WHERE content_sha256 = $content_sha256
