"""Proofs that decisions stood in the log they came from."""

from collections.abc import Sequence
from pathlib import Path

from retrospan.canonical import line
from retrospan.decision_documents import proved
from retrospan.edge import Edge
from store.decision_log import prove
from store.errors import NotFoundError
from store.model import Decision

PROOFS_PER_LEASE = 20
PROOFS_MAX = 200
"""Of more decisions the first in time are proved; `decisions prove` proves any."""


def write_proofs(edge: Edge, decisions: Sequence[Decision], path: Path) -> int:
    """One line per decision of the log, every field as its commitment: who has the decision can be
    asked to show it, and nothing of it is in the proof. The number of lines; no file for none."""
    lines: list[str] = []
    for start in range(0, len(decisions), PROOFS_PER_LEASE):
        with edge.lease("proving decisions") as session:
            for decision in decisions[start : start + PROOFS_PER_LEASE]:
                try:
                    shown = prove(session, decision.decision_id)
                    proof = prove(session, decision.decision_id, sorted(shown.shown))
                except NotFoundError:  # one that only a span tells of is no leaf
                    continue
                lines.append(line(proved(proof)))
                if len(lines) == PROOFS_MAX:
                    break
        if len(lines) == PROOFS_MAX:
            break
    if lines:
        path.write_text("".join(f"{text}\n" for text in lines), encoding="utf-8")
    return len(lines)
