"""Proofs that decisions stood in the log they came from, and the signed head of that log.

The head is signed where the bundle is written, by that machine's key. A bundle has no clock: the
head bears the time of the data's end. Where the bundle is opened, each proof must lead to the root
that was signed.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from retrospan.bundle.layout import HEAD, PROOFS
from retrospan.canonical import line, pretty
from retrospan.config import signing_key
from retrospan.decision_documents import proved
from retrospan.edge import Edge
from retrospan.tree_head import Head, read_head, signed
from store import merkle, read
from store.decision_leaf import leaf
from store.decision_log import check_log, prove
from store.errors import DataError, NotFoundError, StoreBusyError
from store.model import Decision

PROOFS_PER_LEASE: Final = 20
PROOFS_MAX: Final = 200
"""Of more decisions the first in time are proved; `decisions prove` proves any."""
TRIES_MAX: Final = 3
FAULTS_MAX: Final = 20
LINE_BYTES_MAX: Final = 1 << 20
HASH: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What went along: how many proofs, and whose head; `fault` says why there is no head."""

    proofs: int
    signer: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """What the proofs of an opened bundle show. Of `proofs`, `verified` lead to the signed root;
    `faults` name the others. `head` is None where none came along."""

    proofs: int
    verified: int
    faults: Sequence[str]
    head: Head | None


def write_proofs(edge: Edge, decisions: Sequence[Decision], folder: Path) -> Carried:
    """One line per decision of the log, every field as its commitment: who has the decision can be
    asked to show it, and nothing of it is in the proof. The head of the log beside them, unless
    the log is broken. No file where no decision is of the log."""
    for _ in range(TRIES_MAX):
        with edge.reading("checking the decision log") as session:
            log = check_log(session)
            end_ns = read.counts(session).data_end_ns or 0
        lines, sizes = _proofs(edge, decisions)
        if sizes <= {log.tree_size}:
            break
    else:
        raise StoreBusyError("decisions keep coming in: write the bundle when they have stopped")
    if not lines:
        return Carried(proofs=0)
    (folder / PROOFS).write_text("".join(f"{text}\n" for text in lines), encoding="utf-8")
    if log.fault_count:
        first = log.faults[0]
        return Carried(
            proofs=len(lines),
            fault=f"the decision log is broken ({first.said}, leaf {first.leaf_index}): no head of "
            "it is signed; see `retrospan decisions verify`",
        )
    at = datetime.fromtimestamp(end_ns // 1_000_000_000, UTC).isoformat()
    head = signed(log.leaves, at, signing_key())
    (folder / HEAD).write_text(pretty(head) + "\n", encoding="utf-8")
    return Carried(proofs=len(lines), signer=str(head["public_key"]))


def _proofs(edge: Edge, decisions: Sequence[Decision]) -> tuple[list[str], set[int]]:
    """The lines, and the sizes of the log they were made from."""
    lines: list[str] = []
    sizes: set[int] = set()
    for start in range(0, len(decisions), PROOFS_PER_LEASE):
        with edge.reading("proving decisions") as session:
            for decision in decisions[start : start + PROOFS_PER_LEASE]:
                try:
                    shown = prove(session, decision.decision_id)
                    proof = prove(session, decision.decision_id, sorted(shown.shown))
                except NotFoundError:  # one that only a span tells of is no leaf
                    continue
                lines.append(line(proved(proof)))
                sizes.add(proof.tree_size)
                if len(lines) == PROOFS_MAX:
                    return lines, sizes
    return lines, sizes


def check_proofs(folder: Path) -> Proved:
    """Hold every proof of an unpacked bundle to the head that came with it."""
    path = folder / PROOFS
    head = read_head(folder / HEAD) if (folder / HEAD).is_file() else None
    faults: list[str] = []
    if head is not None and not head.genuine:
        faults.append("the signature of the head is not that of its content")
    count = verified = 0
    if path.is_file():
        with path.open("rb") as stream:
            while text := stream.readline(LINE_BYTES_MAX):
                count += 1
                said = _fault(path, count, text, head)
                if said:
                    faults.append(said)
                else:
                    verified += 1
    return Proved(
        proofs=count,
        verified=verified if head is not None and head.genuine else 0,
        faults=faults[:FAULTS_MAX],
        head=head,
    )


def _fault(path: Path, number: int, text: bytes, head: Head | None) -> str:
    """What is wrong with one proof, "" where it leads from its fields to the root."""
    place = f"{path.name}: line {number}"
    try:
        proof: dict[str, Any] = json.loads(text)
        fields = {name: _hash(value) for name, value in proof["hidden"].items()}
        stated, root = _hash(proof["leaf_hash"]), _hash(proof["root_hash"])
        steps = [_hash(step) for step in proof["path"]]
        index, size = proof["leaf_index"], proof["tree_size"]
        if type(index) is not int or type(size) is not int:
            raise ValueError("its place is no number")
        name = str(proof["decision_id"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(f"{place} is no proof of a decision ({error})") from None
    if not proof.get("purged") and leaf(fields) != stated:
        return f"{name}: its fields do not make its leaf"
    if head is not None and (size, root) != (head.tree_size, head.root_hash):
        return f"{name}: its proof is of another log than the head"
    if not merkle.included(stated, index, size, steps, root):
        return f"{name}: its proof does not lead to the root of the log"
    return ""


def _hash(value: object) -> bytes:
    if not isinstance(value, str) or not HASH.fullmatch(value):
        raise ValueError("a digest is no 64 hexadecimal digits")
    return bytes.fromhex(value)
