"""The decision log: what each leaf commits to, and whether the log is still what it was.

A leaf commits to every field of the recorded decision, and to the columns it is stored in as the
field `retrospan.stored`. Its salt is HMAC-SHA256 of what is stored of it, under a key that lies
outside the data: the same decisions give the same tree, and whoever has the leaf of a purged
decision cannot guess what it said. The salt is stored, so that a log is verified without the key.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from store import columns, merkle, rows
from store.decision_leaf import commitments, field_salt, leaf_of
from store.errors import NotFoundError
from store.model import JsonValue
from store.producer_chain import Producer, ProducerChain
from store.rows import Row
from store.session import Session

Leaf: TypeAlias = tuple[bytes, bytes]
"""The hash of a leaf, and the salt of its record."""
STORED = "retrospan.stored"
PURGED = "retrospan.purged"
KEY_LABEL = b"retrospan.leaf/1"
PAGE = 20_000
FAULTS_MAX = 100
COLUMNS = (
    "decision_id",
    "time_ns",
    "chosen",
    "trace_id",
    "span_id",
    "flow_id",
    "seq",
    "confidence",
    "threshold",
    "model_name",
    "model_version",
    "policy_id",
    "policy_version",
    "policy_outcome",
    "action_step_key",
)
_RECORD = len(COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One place where the log is not what it was, in words."""

    leaf_index: int
    decision_id: str
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCheck:
    """The state of the log by its own leaves; what only an anchor can tell is not in it."""

    leaves: Sequence[bytes]
    faults: Sequence[Fault]
    fault_count: int
    purged: int
    producer: Producer

    @property
    def tree_size(self) -> int:
        return len(self.leaves)

    @property
    def root_hash(self) -> bytes:
        return merkle.root(self.leaves)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """That one decision is in the tree: its fields shown or as commitments, and the path up."""

    decision_id: str
    leaf_index: int
    tree_size: int
    root_hash: bytes
    leaf: bytes
    path: Sequence[bytes]
    shown: Mapping[str, tuple[JsonValue, bytes]]
    hidden: Mapping[str, bytes]
    purged: bool


def leaf_key(key: bytes) -> bytes:
    """The key of salts, from the user's own key; "" stays without one."""
    return hmac.digest(key, KEY_LABEL, hashlib.sha256) if key else b""


def leaves_of(decisions: Sequence[Row], key: bytes) -> list[Leaf]:
    """The leaves of rows of `rows.decision_row`: pure work, done before a lease is held."""
    found: list[Leaf] = []
    for row in decisions:
        told = list(row[: _RECORD + 1])
        told[4] = None if row[4] is None else f"{row[4]:016x}"
        salt = _salt(told, key)
        found.append((leaf_of(_committed(told), salt), salt))
    return found


def fill_leaves(session: Session, key: bytes) -> int:
    """Make the leaves of a store that has none yet; how many. One purged before keeps its hash."""
    missing = {index for index, _ in session.rows("read/leafless_decisions")}
    made: list[Row] = []
    for row in _pages(session, max(missing, default=-1) + 1):
        if row[0] not in missing:
            continue
        record = json.loads(row[_RECORD + 1])
        if record.get(PURGED):
            made.append((row[0], row[1], bytes.fromhex(record["leaf_sha256"]), None))
            continue
        committed = _committed(row[1:])
        salt = _salt(row[1:], key)
        made.append((row[0], row[1], leaf_of(committed, salt), salt))
    if made:
        session.run_over("write/decision_leaves", "incoming", rows.table(made, columns.LEAVES))
    return len(made)


def check_log(session: Session) -> LogCheck:
    """Recompute every leaf from what is stored."""
    leaves = session.rows("read/decision_leaves")
    end = max([index for index, *_ in leaves if index is not None], default=-1) + 1
    (count,) = session.row("read/decision_count")
    faults: list[Fault] = []
    purged = 0
    chain = ProducerChain()
    position = 0
    expected: dict[int, tuple[str, bytes, bytes | None]] = {}
    for index, decision_id, leaf, salt in leaves:
        if index in expected:
            faults.append(_fault(index, decision_id, "two leaves have this place"))
        elif index != position:
            faults.append(_fault(position, decision_id, f"the leaves go on at {index}"))
            position = index
        expected[index] = (decision_id, leaf, salt)
        position += 1
    seen: set[int] = set()
    for row in _pages(session, max(end, count, 0)):
        index, decision_id = row[0], row[1]
        if index in seen:
            faults.append(_fault(index, decision_id, "two decisions have this place"))
        seen.add(index)
        known = expected.get(index)
        if known is None:
            faults.append(_fault(index, decision_id, "no leaf was ever made of this decision"))
            continue
        said, was_purged = _compared(row, *known)
        purged += was_purged
        if said:
            faults.append(_fault(index, decision_id, said))
        elif not was_purged:
            chain.add(row[1], row[2], row[7], row[_RECORD + 1])
    for index, (decision_id, *_rest) in expected.items():
        if index not in seen:
            faults.append(_fault(index, decision_id, "the decision of this leaf is gone"))
    beyond = count - len(seen)
    if beyond > 0:
        faults.append(_fault(end, "", f"{beyond} decisions have places far beyond the leaves"))
    faults.sort(key=lambda it: (it.leaf_index, it.decision_id, it.said))
    return LogCheck(
        leaves=[leaf for _, _, leaf, _ in leaves],
        faults=faults[:FAULTS_MAX],
        fault_count=len(faults),
        purged=purged,
        producer=chain.told(),
    )


def prove(session: Session, decision_id: str, hidden: Sequence[str] = ()) -> Proof:
    """The proof that a decision is in the log; fields named in `hidden` are not shown.

    Raises NotFoundError when no logged decision bears the id, or has no such field.
    """
    leaves = session.rows("read/decision_leaves")
    found = [at for at, row in enumerate(leaves) if row[1] == decision_id]
    if not found:
        raise NotFoundError(
            f"no decision {decision_id} is in the log; `retrospan decisions list` shows them "
            "(one that only a span tells of is no leaf)"
        )
    at = found[0]
    hashes = [row[2] for row in leaves]
    index, _, leaf, salt = leaves[at]
    ((row),) = session.rows("read/decision_log", {"from_index": index, "to_index": index + 1})[:1]
    record = json.loads(row[_RECORD + 1])
    shown: dict[str, tuple[JsonValue, bytes]] = {}
    withheld: dict[str, bytes] = {}
    if salt is not None and not record.get(PURGED):
        committed = _committed(row[1:])
        if unknown := sorted(set(hidden) - set(committed)):
            raise NotFoundError(
                f"decision {decision_id} has no field {', '.join(unknown)}; it has "
                f"{', '.join(sorted(committed))}"
            )
        for name, commitment in commitments(committed, salt).items():
            if name in hidden:
                withheld[name] = commitment
            else:
                shown[name] = (committed[name], field_salt(salt, name))
    return Proof(
        decision_id=decision_id,
        leaf_index=index,
        tree_size=len(hashes),
        root_hash=merkle.root(hashes),
        leaf=leaf,
        path=merkle.inclusion_proof(hashes, at),
        shown=shown,
        hidden=withheld,
        purged=salt is None,
    )


def _fault(index: int, decision_id: str, said: str) -> Fault:
    return Fault(leaf_index=index, decision_id=decision_id, said=said)


def _pages(session: Session, end: int) -> Iterator[tuple[Any, ...]]:
    for start in range(0, end, PAGE):
        span = {"from_index": start, "to_index": min(start + PAGE, end)}
        yield from session.rows("read/decision_log", span)


def _committed(told: Sequence[Any]) -> dict[str, JsonValue]:
    """What a leaf commits to, from the columns and the record's stored text."""
    record: dict[str, JsonValue] = json.loads(told[_RECORD])
    stored: dict[str, JsonValue] = dict(zip(COLUMNS, told, strict=False))
    record[STORED] = {"record": record[STORED], "stored": stored} if STORED in record else stored
    return record


def _salt(told: Sequence[Any], key: bytes) -> bytes:
    """The salt of a record, from the columns and the record's stored text."""
    text = json.dumps(list(told[: _RECORD + 1]))
    return hmac.digest(key, text.encode(), hashlib.sha256)


def _compared(
    row: tuple[Any, ...], decision_id: str, leaf: bytes, salt: bytes | None
) -> tuple[str, bool]:
    """What is wrong with a decision, "" when nothing; whether it was purged."""
    if row[1] != decision_id:
        return f"the leaf here is that of {decision_id}", False
    try:
        record = json.loads(row[_RECORD + 1])
    except ValueError:
        return "its record is no JSON any more", False
    if isinstance(record, dict) and record.get(PURGED) is True:
        if record.get("leaf_sha256") != leaf.hex():
            return "it was purged, and names another leaf", True
        return "", True
    if salt is None:
        return "the salt of its leaf is gone, so that its content cannot be checked", False
    if not isinstance(record, dict) or leaf_of(_committed(row[1:]), salt) != leaf:
        return "its content is not what its leaf commits to", False
    return "", False
