-- Refused records of these inputs in the order they were read; `of_input` counts all of one input.
WITH kept AS (
    SELECT
        split_part(content_sha256, ':', 1) AS content,
        TRY_CAST(split_part(content_sha256, ':', 2) AS BIGINT) AS part,
        reader,
        rules_sha256,
        ordinal,
        record,
        reason,
        excerpt
    FROM rejects
    WHERE split_part(content_sha256, ':', 1) IN (SELECT unnest($contents::VARCHAR[]))
)

SELECT
    content,
    reader,
    rules_sha256,
    count(*) OVER (PARTITION BY content, reader, rules_sha256) AS of_input,
    record,
    reason,
    excerpt
FROM kept
QUALIFY row_number() OVER (
    PARTITION BY content, reader, rules_sha256
    ORDER BY part, ordinal
) <= $listed_max
ORDER BY content, reader, rules_sha256, part, ordinal
