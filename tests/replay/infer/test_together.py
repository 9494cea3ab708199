"""Words that a rule asks for in different branches, and that no recording has at once."""

from replay.infer.codec import decode, encode
from replay.infer.grow import grow
from replay.infer.program import _CLASSES
from replay.infer.tree import Tree
from replay.infer.view import Ref
from replay.leaves import Scalar

STATUS: Ref = ("status", "gateway-eu POST /charges")
REGION: Ref = ("input", "region")
# The status, the region, whether the flow ended there, and how many did.
SEEN = [
    ("ok", "any", False, 138), ("ok", "eu-only", False, 47), ("503", "any", False, 9),
    ("503", "eu-only", True, 4), ("breaker_open", "any", False, 15),
    ("breaker_open", "eu-only", True, 3), ("timeout", "any", False, 7),
]  # fmt: skip


def refusal() -> Tree:
    rows = [row for row in SEEN for _ in range(row[3])]
    columns: dict[Ref, list[Scalar]] = {
        STATUS: [row[0] for row in rows], REGION: [row[1] for row in rows]
    }  # fmt: skip
    return grow(columns, [row[2] for row in rows])


def doubts(tree: Tree, status: str, region: str) -> set[str]:
    values: dict[Ref, Scalar] = {STATUS: status, REGION: region}
    return {word for word, _ in tree.read(values.get)[1]}


def test_two_words_that_no_recording_has_at_once_are_doubted() -> None:
    """No timeout met an order that may not leave the region: what follows was never seen."""
    assert "never_together" in doubts(refusal(), "timeout", "eu-only")


def test_words_that_came_together_are_not_doubted() -> None:
    for status, region, _, _ in SEEN:
        assert "never_together" not in doubts(refusal(), status, region)


def test_what_came_together_survives_the_way_through_json() -> None:
    tree = refusal()
    assert tree.together
    assert decode(encode(tree), _CLASSES) == tree
