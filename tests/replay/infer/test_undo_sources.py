"""Which step a compensation is said to undo, from a handful of hand-made flows."""

import pytest

from replay.infer.order import Order
from replay.infer.undo_rules import sources_of
from replay.infer.view import Instance, Node, Observation, View
from replay.recording import recording_of
from tests.replay.kinds import true_flow
from tests.replay.other_kinds import OTHER_KINDS

BOOK, PAY, CANCEL = "hotel POST /bookings", "bank POST /payments", "desk POST /notes"
ORDER = Order(
    sequence=(BOOK, PAY),
    before={BOOK: frozenset(), PAY: frozenset({BOOK})},
    direct={BOOK: (), PAY: (BOOK,)},
    apart={},
)
RECORDING = recording_of(true_flow("trip", 1, seed=1, kinds=OTHER_KINDS))


def ended_after(*ops: str) -> Observation:
    """A flow that did not succeed, in which these ran well."""
    nodes = {op: Node(op, [Instance(op, "", 0, 1, "ok", {}, {})]).settle() for op in ops}
    return Observation(RECORDING, View({}, nodes), False)


@pytest.mark.parametrize("others", [30, 60, 90])
def test_what_never_ran_with_a_compensation_is_not_what_it_undoes(others: int) -> None:
    """The more flows fail without both, the better the two seem to agree."""
    aborted = [ended_after(BOOK)] * others + [ended_after(BOOK, CANCEL)] * 3
    assert sources_of(aborted, CANCEL, ORDER) == ([], [], False)


def test_what_ran_wherever_its_compensation_did_is_undone_by_it() -> None:
    aborted = [ended_after(BOOK)] * 30 + [ended_after(BOOK, PAY, CANCEL)] * 20
    assert sources_of(aborted, CANCEL, ORDER)[0] == [PAY]


def test_one_lost_span_in_twenty_does_not_hide_what_is_undone() -> None:
    undone = [ended_after(BOOK, PAY, CANCEL)] * 20
    lost = [ended_after(BOOK, CANCEL)]
    assert sources_of([ended_after(BOOK)] * 30 + undone + lost, CANCEL, ORDER)[0] == [PAY]
    assert sources_of([ended_after(BOOK)] * 30 + undone + lost * 2, CANCEL, ORDER)[0] == []
