INSERT INTO decisions BY NAME
SELECT
    *,
    TRY_CAST(confidence AS DECIMAL(38, 9)) AS confidence_value,
    TRY_CAST(threshold AS DECIMAL(38, 9)) AS threshold_value
FROM incoming
