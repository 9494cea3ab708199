-- 64 bits that tell different contents apart. The lengths stand before the texts, so that no two
-- lists of parts are written alike.
CREATE MACRO identity_of(parts) AS md5_number_lower(
    array_to_string([coalesce(strlen(part)::VARCHAR, 'null') FOR part IN parts], ' ')
    || ':'
    || array_to_string([coalesce(part, '') FOR part IN parts], '')
)
