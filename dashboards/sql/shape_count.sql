-- How many flows of a name have a shape.
SELECT
    count(*) FILTER (WHERE variant = $shape) AS alike,
    count(*) AS flows
FROM flows
WHERE name = $name
