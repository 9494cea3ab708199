"""Decisions into the store: those of a log, then those that spans tell of by themselves.

A decision of a log is never replaced, and numbered as a leaf of the proof. One derived from a span
is no leaf: it stands only while no log tells of the same id or of the same span, and of two with
one id the later one is kept; so the answer does not depend on the order of loading.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from store import columns, rows
from store.decision_log import Leaf
from store.lease import Session
from store.model import Decision
from store.rows import Row

DERIVED_FROM = "derived_from"
_ID, _TIME, _TRACE, _FLOW, _HASH = 0, 1, 3, 5, -1


@dataclass(slots=True)
class DecisionTally:
    """What was done: `stored` counts logged ones; `touched` are rows of `columns.TOUCHED`."""

    stored: int = 0
    duplicates: int = 0
    superseded: int = 0
    changed: bool = False
    touched: list[Row] = field(default_factory=list)

    def touch(self, trace_id: object) -> None:
        """A trace whose flow is to be derived again."""
        self.changed = True
        if trace_id is not None:
            self.touched.append((trace_id, None, None, False))


def by_origin(decisions: Iterable[Decision]) -> tuple[list[Decision], list[Decision]]:
    """Those of a decision log, and those that spans or their events told of."""
    logged: list[Decision] = []
    derived: list[Decision] = []
    for decision in decisions:
        is_derived = decision.record.get(DERIVED_FROM) in ("span", "log")
        (derived if is_derived else logged).append(decision)
    return logged, derived


def store_decisions(
    session: Session, logged: Sequence[Row], derived: Sequence[Row], leaves: Sequence[Leaf], *,
    anew: bool = False,
) -> DecisionTally:  # fmt: skip
    """Store rows of `rows.decision_row`; `anew` when the same bytes were read otherwise before.

    `leaves` are those of `logged`, in its order.
    """
    tally = DecisionTally()
    if logged:
        _store_logged(session, logged, leaves, tally)
    if derived:
        _store_derived(session, derived, tally, anew=anew)
    return tally


def _store_logged(
    session: Session, logged: Sequence[Row], leaves: Sequence[Leaf], tally: DecisionTally
) -> None:
    ids = rows.table(((row[_ID],) for row in logged), columns.DECISION_KEYS)
    hashes = dict(session.rows_over("read/known_decisions", "incoming", ids))
    new: list[Row] = []
    of_new: list[Leaf] = []
    for row, leaf in zip(logged, leaves, strict=True):
        known = hashes.setdefault(row[_ID], None)
        if known is None:
            hashes[row[_ID]] = row[_HASH]
            new.append(row)
            of_new.append(leaf)
        elif known == row[_HASH]:
            tally.duplicates += 1
        else:
            tally.superseded += 1
    if not new:
        return
    (first_leaf,) = session.row("read/next_leaf")
    numbered = [(*row, number) for number, row in enumerate(new, first_leaf)]
    data = rows.table(numbered, columns.DECISION_SCHEMA)
    _drop(session, session.rows_over("read/shadowed_decisions", "incoming", data), tally)
    session.run_over("write/decisions", "incoming", data)
    made = [(first_leaf + at, row[_ID], *of_new[at]) for at, row in enumerate(new)]
    session.run_over("write/decision_leaves", "incoming", rows.table(made, columns.LEAVES))
    tally.stored = len(new)
    tally.changed = True
    for row in new:
        tally.touch(row[_TRACE])
    flow_ids = {row[_FLOW] for row in new if row[_TRACE] is None and row[_FLOW] is not None}
    if flow_ids:
        named = rows.table(((flow_id,) for flow_id in flow_ids), columns.FLOW_IDS)
        for (trace_id,) in session.rows_over("read/traces_of_flow_ids", "incoming", named):
            tally.touch(trace_id)


def _store_derived(
    session: Session, derived: Sequence[Row], tally: DecisionTally, *, anew: bool
) -> None:
    newest: dict[object, Row] = {}
    for row in derived:
        other = newest.setdefault(row[_ID], row)
        if _rank(row) > _rank(other):
            newest[row[_ID]] = row
    incoming = rows.table(((*row, None) for row in newest.values()), columns.DECISION_SCHEMA)
    replaced = []
    rivals = session.rows_over("read/rival_decisions", "incoming", incoming)
    for decision_id, is_logged, trace_id, *stored in rivals:
        found = newest.get(decision_id)
        if found is None:
            continue
        if is_logged or tuple(stored) == _rank(found):
            del newest[decision_id]
        elif _rank(found) > tuple(stored) or (anew and found[_TIME] == stored[0]):
            replaced.append((decision_id, trace_id))
        else:
            del newest[decision_id]
    if newest:
        _drop(session, [one for one in replaced if one[0] in newest], tally)
        kept = rows.table(((*row, None) for row in newest.values()), columns.DECISION_SCHEMA)
        session.run_over("write/decisions", "incoming", kept)
        for row in newest.values():
            tally.touch(row[_TRACE])


def _rank(row: Row) -> tuple[object, ...]:
    return row[_TIME], row[_HASH]


def _drop(session: Session, outdated: Sequence[Row], tally: DecisionTally) -> None:
    """Take derived decisions out that something better tells of."""
    if outdated:
        ids = rows.table(((row[0],) for row in outdated), columns.DECISION_KEYS)
        session.run_over("write/delete_derived_decisions", "outdated", ids)
        for _, trace_id in outdated:
            tally.touch(trace_id)
