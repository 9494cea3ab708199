"""The store in parts, each small enough for one short lease."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars

from store.errors import NotFoundError
from store.lease import Store
from store.query import ask
from store.read import counts

SPANS_PER_LEASE = 5_000
TRACES_PER_LEASE = 1_000
SQL = Path(__file__).parent / "sql"
PURPOSE = "exporting"
ROWS_PER_PART = 100_000
LOWEST, HIGHEST = -(2**63), 2**63 - 1
UNKNOWN_TOLD_MAX = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Traces in the order of time with their span counts; `members` are the spans wanted of each,
    None for all."""

    traces: Sequence[tuple[str, int]]
    members: Mapping[str, frozenset[str]] | None


def parts(store: Store, part: str, question: Path) -> Iterator[polars.DataFrame]:
    """The answers to a question with `low` and `high`, part after part; at least one."""
    with store.reading(PURPOSE) as session:
        asked = {"part": part, "rows": ROWS_PER_PART}
        places = ask(session, SQL / "cuts.sql", asked)["place"].to_list()
    lows = [LOWEST, *places]
    highs = [*(place - 1 for place in places), HIGHEST]
    for low, high in zip(lows, highs, strict=True):
        with store.reading(PURPOSE) as session:
            frame = ask(session, question, {"low": low, "high": high})
        yield frame


def generation(store: Store) -> int:
    """The store's count of writes: equal numbers mean that nothing was added in between."""
    with store.reading(PURPOSE) as session:
        return counts(session).generation


def choose(store: Store, flow_ids: Sequence[str]) -> Chosen:
    """All traces, or those of some flows."""
    ids = sorted(set(flow_ids))
    with store.reading(PURPOSE) as session:
        known = set(ask(session, SQL / "known_flows.sql", {"flow_ids": ids})["flow_id"])
        unknown = [flow_id for flow_id in ids if flow_id not in known]
        if unknown:
            told = ", ".join(unknown[:UNKNOWN_TOLD_MAX])
            raise NotFoundError(f"no such flow: {told}; `retrospan flows list` shows them")
        asked = {"all": not ids, "flow_ids": ids}
        traces: list[tuple[str, int]] = ask(session, SQL / "traces.sql", asked).rows()
        members = ask(session, SQL / "members.sql", {"flow_ids": ids}).rows()
    if not ids:
        return Chosen(traces=traces, members=None)
    wanted: dict[str, set[str]] = {}
    for trace_id, span_id in members:
        wanted.setdefault(trace_id, set()).add(span_id)
    return Chosen(
        traces=traces, members={trace: frozenset(spans) for trace, spans in wanted.items()}
    )


def leases(traces: Sequence[tuple[str, int]]) -> Iterator[list[str]]:
    """Trace ids in groups of about `SPANS_PER_LEASE` spans."""
    group: list[str] = []
    size = 0
    for trace_id, spans in traces:
        group.append(trace_id)
        size += spans
        if size >= SPANS_PER_LEASE or len(group) >= TRACES_PER_LEASE:
            yield group
            group, size = [], 0
    if group:
        yield group
