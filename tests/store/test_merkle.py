"""Merkle trees: published roots, and proofs that hold exactly where they should."""

import hashlib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from store.merkle import (
    consistency_proof,
    consistent,
    included,
    inclusion_proof,
    leaf_hash,
    root,
)

ENTRIES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "6061626364656667"
           "68696a6b6c6d6e6f")  # fmt: skip
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""The reference entries and roots of Certificate Transparency's own test suite."""


def tree(size: int, salt: str = "") -> list[bytes]:
    return [leaf_hash(f"{salt}{at}".encode()) for at in range(size)]


def test_an_empty_tree_has_the_hash_of_nothing() -> None:
    assert root([]) == hashlib.sha256(b"").digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_certificate_transparency(size: int) -> None:
    leaves = [leaf_hash(bytes.fromhex(entry)) for entry in ENTRIES[:size]]
    assert root(leaves).hex() == ROOTS[size - 1]


@given(st.data(), st.integers(1, 70))
def test_a_proof_holds_for_its_leaf_at_its_place_in_its_tree_and_nowhere_else(
    data: st.DataObject, size: int
) -> None:
    leaves = tree(size)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(leaves, index)
    top = root(leaves)
    assert included(leaves[index], index, size, proof, top)
    other = data.draw(st.integers(0, size - 1))
    assume(other != index)
    assert not included(leaves[other], index, size, proof, top)
    assert not included(leaves[index], other, size, proof, top)
    assert not included(leaves[index], index, size, [*proof, top], top)
    assert not included(leaves[index], index, size, proof[:-1], top)


@given(st.data(), st.integers(1, 70))
def test_a_tree_is_consistent_with_every_tree_it_grew_out_of(
    data: st.DataObject, size: int
) -> None:
    leaves = tree(size)
    earlier = data.draw(st.integers(1, size))
    proof = consistency_proof(leaves, earlier)
    assert consistent(earlier, root(leaves[:earlier]), size, root(leaves), proof)


@given(st.data(), st.integers(2, 70))
def test_a_tree_whose_past_was_changed_is_not_consistent(data: st.DataObject, size: int) -> None:
    leaves = tree(size)
    earlier = data.draw(st.integers(1, size - 1))
    before = root(leaves[:earlier])
    changed = list(leaves)
    changed[data.draw(st.integers(0, earlier - 1))] = leaf_hash(b"forged")
    proof = consistency_proof(changed, earlier)
    assert not consistent(earlier, before, size, root(changed), proof)
    honest = consistency_proof(leaves, earlier)
    assert not consistent(earlier, before, size, root(changed), honest)


def test_what_cannot_be_proved_is_refused() -> None:
    with pytest.raises(ValueError, match="no leaf 3"):
        inclusion_proof(tree(3), 3)
    with pytest.raises(ValueError, match="no tree of 4"):
        consistency_proof(tree(3), 4)
    assert not included(tree(1)[0], 0, 0, [], root(tree(1)))
    assert not consistent(0, root([]), 3, root(tree(3)), [])
