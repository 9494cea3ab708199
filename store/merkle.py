"""Merkle trees as RFC 6962 (Certificate Transparency) defines them.

In: leaf hashes in their order. Out: the root, proofs that a leaf is in a tree (section 2.1.1), that
a tree grew out of an earlier one by appending alone (2.1.2), and their checks (RFC 9162, sections
2.1.3.2 and 2.1.4.2). All hashes are 32 bytes of SHA-256.
"""

import hashlib
from collections.abc import Sequence

LEAF, NODE = b"\x00", b"\x01"


def leaf_hash(data: bytes) -> bytes:
    """The hash of an entry; the prefix keeps an entry from passing for a node."""
    return hashlib.sha256(LEAF + data).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root of a tree; of an empty one the hash of nothing."""
    if not leaves:
        return hashlib.sha256().digest()
    return _levels(leaves)[-1][0]


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes that lead from one leaf to the root, from the bottom.

    Raises ValueError when there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise ValueError(f"no leaf {index} in a tree of {len(leaves)}")
    proof = []
    for level in _levels(leaves)[:-1]:
        beside = index ^ 1
        if beside < len(level):
            proof.append(level[beside])
        index >>= 1
    return proof


def included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root_hash: bytes) -> bool:
    """Whether the proof leads from the leaf at `index` to the root of a tree of `size`."""
    if not 0 <= index < size:
        return False
    found, last = leaf, size - 1
    for beside in proof:
        if last == 0:
            return False
        if index & 1 or index == last:
            found = _node(beside, found)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            found = _node(found, beside)
        index, last = index >> 1, last >> 1
    return last == 0 and found == root_hash


def consistency_proof(leaves: Sequence[bytes], earlier_size: int) -> list[bytes]:
    """The hashes that show that the first `earlier_size` leaves are unchanged.

    Raises ValueError when the earlier tree is larger than this one, or empty.
    """
    if not 0 < earlier_size <= len(leaves):
        raise ValueError(f"no tree of {earlier_size} can have grown to {len(leaves)}")
    return _subproof(leaves, earlier_size, whole=True)


def consistent(
    earlier_size: int, earlier_root: bytes, size: int, root_hash: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether the tree of `size` begins with all that the earlier tree held, in its order."""
    if not 0 < earlier_size <= size:
        return False
    if earlier_size == size:
        return not proof and earlier_root == root_hash
    path = list(proof)
    if earlier_size & (earlier_size - 1) == 0:
        path.insert(0, earlier_root)
    if not path:
        return False
    index, last = earlier_size - 1, size - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    old = new = path[0]
    for beside in path[1:]:
        if last == 0:
            return False
        if index & 1 or index == last:
            old, new = _node(beside, old), _node(beside, new)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            new = _node(new, beside)
        index, last = index >> 1, last >> 1
    return last == 0 and old == earlier_root and new == root_hash


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(NODE + left + right).digest()


def _levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """Each level from the leaves up; a node without a sibling moves up as it is."""
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        paired = [_node(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)]
        levels.append(paired + below[len(below) - len(below) % 2 :])
    return levels


def _subproof(leaves: Sequence[bytes], earlier_size: int, *, whole: bool) -> list[bytes]:
    if earlier_size == len(leaves):
        return [] if whole else [root(leaves)]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    if earlier_size <= split:
        below = _subproof(leaves[:split], earlier_size, whole=whole)
        return [*below, root(leaves[split:])]
    below = _subproof(leaves[split:], earlier_size - split, whole=False)
    return [*below, root(leaves[:split])]
