-- The leaves of the Merkle tree over logged decisions. None is ever changed or taken out; a purge
-- takes the salt, without which a leaf says nothing of what the decision said.
CREATE TABLE decision_leaves (
    leaf_index BIGINT,
    decision_id VARCHAR,
    leaf BLOB,
    salt BLOB
)
