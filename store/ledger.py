"""What the store knows of inputs that were loaded to their end."""

from collections.abc import Sequence
from dataclasses import dataclass

from store.lease import Session
from store.model import Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownInput:
    """An input of which every batch is stored, under one reader and one set of rules.

    `records` counts its spans, log records and decisions, `truncated` those of them that a limit
    cut. `rejected` are the first refused ones, `rejected_count` counts all.
    """

    records: int
    truncated: int
    rejected: Sequence[Rejected]
    rejected_count: int


InputKey = tuple[str, str, str]  # content hash, reader, digest of the rules


def known_inputs(
    session: Session, contents: Sequence[str], listed_max: int
) -> dict[InputKey, KnownInput]:
    """The wholly loaded inputs among these content hashes.

    One whose refused records were judged anew since, by another reader or other rules, is left
    out: the store can no longer say what was refused of it.
    """
    rejected: dict[InputKey, list[Rejected]] = {}
    counted: dict[InputKey, int] = {}
    params = {"contents": list(contents)}
    kept = session.rows("read/known_rejects", {**params, "listed_max": listed_max})
    for content, reader, rules, of_input, record, reason, excerpt in kept:
        key = (content, reader, rules)
        counted[key] = of_input
        refused = Rejected(record=record, reason=reason, excerpt=excerpt)
        rejected.setdefault(key, []).append(refused)
    found: dict[InputKey, KnownInput] = {}
    for *parts, records, truncated, refused_count in session.rows("read/known_inputs", params):
        key = (parts[0], parts[1], parts[2])
        if counted.get(key, 0) == refused_count:
            found[key] = KnownInput(
                records=records,
                truncated=truncated,
                rejected=tuple(rejected.get(key, ())),
                rejected_count=refused_count,
            )
    return found
