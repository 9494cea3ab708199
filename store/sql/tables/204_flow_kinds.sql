-- What flows have in common, written once however many share it. A head names the kind of its facts
-- and the kind of its undoing: what is counted of many flows is counted by kind.
CREATE TABLE flow_kinds (
    kind UBIGINT, -- made of the contents
    contents JSON
)
