-- Amounts of the effects left standing, per flow and currency.
SELECT flow_id, currency, sum(amount) AS amount, count(*) AS effects
FROM residual_effects
GROUP BY flow_id, currency
ORDER BY flow_id, currency
