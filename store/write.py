"""Recorded data into the store.

One batch is one transaction. A batch the ledger knows is left alone. Of the rest, what is stored
already is counted as a duplicate. Of several versions of one span (same ids, other content) one is
kept: a finished one before an unfinished one, then the one that ends later, then the higher content
hash; so the answer does not depend on the order of loading. Each other version counts as
superseded. Where the same bytes were loaded before by another reader or under other rules, the new
reading takes the place of the old one, which counts as superseded: the last load decides what an
input gives. A decision of a log is never replaced: a second one with a known id counts as a
duplicate when equal, else as superseded; those derived from spans are not counted. Equal log
records (all fields) are one record.

The functions that write conclusions live in `store.write_derived` and are offered here too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from store import columns, rows
from store.lease import Session
from store.model import Batch, BatchCounts
from store.reload import former_logs
from store.rows import Row
from store.span_table import SpanTable, joined
from store.write_decisions import by_origin, store_decisions
from store.write_derived import replace_flows, write_incident, write_replays

__all__ = ["replace_flows", "write_batch", "write_incident", "write_replays"]


_SPAN_TABLES = ("spans", "span_events", "span_links")
_VERSION_COLUMNS = ("trace_id", "span_id", "start_ns", "end_ns", "content_hash")


class _Version(NamedTuple):
    """One version of a span: its row in the batch; the highest rank is kept."""

    row: int
    start_ns: int
    end_ns: int | None
    rank: tuple[bool, int, int]


@dataclass(slots=True)
class _Tally:
    """What a batch did so far; `touched` are rows of `columns.TOUCHED`.

    `anew`: its bytes were loaded before, by another reader or under other rules.
    """

    anew: bool = False
    changed: bool = False
    duplicates: int = 0
    superseded: int = 0
    touched: list[Row] = field(default_factory=list)

    def count(self, *, identical: bool) -> None:
        if identical:
            self.duplicates += 1
        else:
            self.superseded += 1


def write_batch(session: Session, batch: Batch) -> BatchCounts:
    """Store a batch; say what was new and what was left out."""
    key = {
        "content_sha256": batch.content_sha256,
        "reader": batch.reader,
        "rules_sha256": batch.rules_sha256,
    }
    of_logs, of_spans = by_origin(batch.decisions)
    records = len(batch.spans) + len(batch.logs) + len(of_logs)
    known = BatchCounts(duplicates=records + sum(map(len, batch.encoded)), known_batch=True)
    if _is_known(session, key):  # asked before the work of encoding, and again inside
        return known
    encode = rows.span_encoder()
    spans = joined([rows.span_table([encode(span) for span in batch.spans]), *batch.encoded])
    logs = [rows.log_row(log) for log in batch.logs]
    logged, derived = (list(map(rows.decision_row, some)) for some in (of_logs, of_spans))
    with session.transaction():
        if _is_known(session, key):
            return known
        tally = _Tally(anew=session.row("read/loaded_otherwise", key) != (0,))
        counts = BatchCounts(
            spans=_store_spans(session, spans, tally),
            logs=_store_logs(session, logs, tally),
            decisions=_store_decisions(session, logged, derived, tally),
            duplicates=tally.duplicates,
            superseded=tally.superseded,
            metrics=batch.metrics,
        )
        _store_rejects(session, batch, key)
        if tally.changed:
            session.run("write/generation")
        if tally.touched:
            _mark(session, tally.touched)
        _enter_ledger(session, batch, counts, key)
        if batch.end is not None:
            end = batch.end
            told = {"records": end.records, "truncated": end.truncated, "rejected": end.rejected}
            session.run("write/delete_inputs", key)
            session.run("write/inputs", {**key, **told})
    return counts


def _is_known(session: Session, key: Mapping[str, str]) -> bool:
    return session.row("read/ledger", key) != (0,)


def _store_spans(session: Session, spans: SpanTable, tally: _Tally) -> int:
    newest = _newest(spans, tally)
    if not newest:
        return 0
    keys = rows.table(newest, columns.SPAN_KEYS)
    (low, high) = session.row_over("read/trace_range", "incoming", keys)
    outdated: list[tuple[str, int]] = []
    if low is not None:
        span_range = {"low": low, "high": high}
        known = session.rows_over("read/known_spans", "incoming", keys, **span_range)
        for trace_id, span_id, *stored in known:
            found = newest[trace_id, span_id]
            tally.count(identical=stored[-1] == found.rank[-1])
            former = rows.rank(*stored)
            reread = tally.anew and found.rank[:2] == former[:2] and found.rank != former
            if reread or found.rank > former:
                outdated.append((trace_id, span_id))
            else:
                del newest[trace_id, span_id]
        if outdated:
            _delete_spans(session, outdated, span_range)
    kept = spans.rows(sorted(found.row for found in newest.values()))
    for table, data in zip(_SPAN_TABLES, (kept.spans, kept.events, kept.links), strict=True):
        if data.num_rows:
            session.run_over(f"write/{table}", "incoming", data)
    replaced = set(outdated)
    tally.touched.extend(
        (key[0], found.start_ns, found.end_ns, key not in replaced) for key, found in newest.items()
    )
    tally.changed |= bool(newest)
    return len(newest) - len(outdated)


def _newest(spans: SpanTable, tally: _Tally) -> dict[tuple[str, int], _Version]:
    """The version to keep of each span of a batch."""
    newest: dict[tuple[str, int], _Version] = {}
    parts = (spans.spans[name].to_pylist() for name in _VERSION_COLUMNS)
    for row, (trace_id, span_id, start, end, digest) in enumerate(zip(*parts, strict=True)):
        found = _Version(row, start, end, rows.rank(start, end, digest))
        other = newest.setdefault((trace_id, span_id), found)
        if other is not found:
            tally.count(identical=other.rank == found.rank)
            if found.rank > other.rank:
                newest[trace_id, span_id] = found
    return newest


def _delete_spans(
    session: Session, outdated: Iterable[tuple[str, int]], span_range: Mapping[str, int]
) -> None:
    keys = rows.table(outdated, columns.SPAN_KEYS)
    for table in _SPAN_TABLES:
        session.run_over(f"write/delete_{table}", "outdated", keys, **span_range)


def _store_logs(session: Session, logs: Sequence[Row], tally: _Tally) -> int:
    if not logs:
        return 0
    new = {(row[0], row[-1]): row for row in logs}  # by time and content hash
    known = session.rows_over("read/known_logs", "incoming", rows.table(new, columns.LOG_KEYS))
    for key in known:
        del new[key]
    tally.duplicates += len(logs) - len(new)
    former = former_logs(session, new, logs) if tally.anew else []
    if former:
        session.run_over("write/delete_logs", "outdated", rows.table(former, columns.LOG_KEYS))
        tally.superseded += len(former)
    session.run_over("write/logs", "incoming", rows.table(new.values(), columns.LOG_SCHEMA))
    tally.touched.extend((row[2], None, None, False) for row in new.values() if row[2] is not None)
    tally.changed |= bool(new)
    return len(new) - len(former)


def _store_decisions(
    session: Session, logged: Sequence[Row], derived: Sequence[Row], tally: _Tally
) -> int:
    done = store_decisions(session, logged, derived, anew=tally.anew)
    tally.duplicates += done.duplicates
    tally.superseded += done.superseded
    tally.changed |= done.changed
    tally.touched.extend(done.touched)
    return done.stored


def _store_rejects(session: Session, batch: Batch, key: Mapping[str, str]) -> None:
    session.run("write/delete_rejects", key)
    if batch.rejected:
        of_batch = (batch.content_sha256, batch.reader, batch.rules_sha256, batch.source)
        data = rows.table(
            (
                (*of_batch, n, kept.record, kept.reason, kept.excerpt)
                for n, kept in enumerate(batch.rejected)
            ),
            columns.REJECT_SCHEMA,
        )
        session.run_over("write/rejects", "incoming", data)


def _mark(session: Session, touched: Sequence[Row]) -> None:
    data = rows.table(touched, columns.TOUCHED)
    session.run_over("write/traces", "incoming", data)
    session.run_over("write/dirty", "incoming", data)


def _enter_ledger(
    session: Session, batch: Batch, counts: BatchCounts, key: Mapping[str, str]
) -> None:
    session.run("write/delete_ledger", key)
    session.run(
        "write/ledger",
        {
            **key,
            "source": batch.source,
            "spans": counts.spans,
            "logs": counts.logs,
            "decisions": counts.decisions,
            "duplicates": counts.duplicates,
            "superseded": counts.superseded,
            "rejected": len(batch.rejected),
            "metrics": counts.metrics,
        },
    )
