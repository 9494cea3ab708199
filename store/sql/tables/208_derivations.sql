-- The writes of derived flows, numbered; only ever added to. A head names the one that wrote it.
CREATE TABLE derivations (
    number BIGINT,
    flows BIGINT -- written or removed by it
)
