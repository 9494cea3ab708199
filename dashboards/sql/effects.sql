-- Amounts of the effects left standing, per currency.
SELECT currency, sum(amount) AS amount, count(*) AS effects
FROM residual_effects
GROUP BY currency
ORDER BY effects DESC, currency
