INSERT INTO steps BY NAME
SELECT
    *,
    TRY_CAST(amount_text AS DECIMAL(38, 9)) AS amount,
    TRY_CAST(backoff_text AS DECIMAL(38, 9)) AS backoff_coefficient
FROM incoming
