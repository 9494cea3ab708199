-- Amounts of the effects left standing in scope, by currency; those that tell no amount have none.
SELECT
    currency,
    sum(amount) AS amount,
    count(*) AS effects,
    count(amount) AS told
FROM residual_effects
WHERE
    flow_id IN (
        SELECT flow_id
        FROM heads_within($since_ns::BIGINT, $until_ns::BIGINT, $environment::VARCHAR, $services::VARCHAR[])
        WHERE effects > 0
    )
GROUP BY currency
ORDER BY effects DESC, currency
