"""Numbers and hashes that the producers of decisions gave them: what is missing between them."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

GAPS_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Producer:
    """What the producers' own numbers and hashes say; `gaps` are missing numbers, first to last.

    `unnumbered` decisions bear no `seq`, so that nothing can be said of gaps between them.
    Of the decisions with `prev_sha256`, `linked` name the hash of the one before, `unlinked`
    another one; the hash is taken over the record as compact JSON with sorted keys.
    """

    numbered: int
    unnumbered: int
    gaps: Sequence[tuple[int, int]]
    repeated: Sequence[int]
    out_of_order: int
    linked: int
    unlinked: int
    first_unlinked: str | None


class ProducerChain:
    """Numbers and hashes that producers gave, by who decided."""

    def __init__(self) -> None:
        self._seqs: dict[str, list[tuple[int, int, str]]] = {}
        self._unnumbered = 0
        self._hashes: dict[tuple[str, int], str] = {}
        self._previous: list[tuple[str, int, str, str]] = []

    def add(self, decision_id: str, time_ns: int, seq: int | None, text: str) -> None:
        """One decision in the order of the log; `text` is its record as it is stored."""
        if seq is None:
            self._unnumbered += 1
            return
        record = json.loads(text)
        actor = record.get("actor")
        who = str(actor.get("service") if isinstance(actor, dict) else "")
        self._seqs.setdefault(who, []).append((seq, time_ns, decision_id))
        previous = record.get("prev_sha256")
        line = json.dumps(record, sort_keys=True, separators=(",", ":"))
        self._hashes[who, seq] = hashlib.sha256(line.encode("utf-8", "surrogatepass")).hexdigest()
        if isinstance(previous, str):
            self._previous.append((who, seq, previous.lower(), decision_id))

    def told(self) -> Producer:
        """What all of them together say."""
        gaps: list[tuple[int, int]] = []
        repeated: list[int] = []
        out_of_order = 0
        for numbered in self._seqs.values():
            counted = Counter(seq for seq, _, _ in numbered)
            repeated += sorted(seq for seq, count in counted.items() if count > 1)
            ordered = sorted(counted)
            gaps += [
                (before + 1, after - 1) for before, after in pairwise(ordered) if after > before + 1
            ]
            times = [time_ns for _, time_ns, _ in sorted(numbered)]
            pairs = pairwise(times)
            out_of_order += sum(after < before for before, after in pairs)
        known = [it for it in self._previous if (it[0], it[1] - 1) in self._hashes]
        wrong = [it for it in known if self._hashes[it[0], it[1] - 1] != it[2]]
        return Producer(
            numbered=sum(map(len, self._seqs.values())),
            unnumbered=self._unnumbered,
            gaps=gaps[:GAPS_MAX],
            repeated=repeated[:GAPS_MAX],
            out_of_order=out_of_order,
            linked=len(known) - len(wrong),
            unlinked=len(wrong),
            first_unlinked=min((it[1], it[3]) for it in wrong)[1] if wrong else None,
        )
