"""Recorded data into the store.

One batch is one transaction. A batch the ledger knows is left alone. Of the rest, what is stored
already is counted as a duplicate. Of several versions of one span (same ids, other content) one is
kept: a finished one before an unfinished one, then the one that ends later, then the one whose
content has the higher hash, which is made only where versions meet; so the answer does not depend
on the order of loading. Each other version counts as superseded. Where the same bytes were loaded
before by another reader or under other rules, the new reading takes the place of the old one, which
counts as superseded: the last load decides what an input gives. A decision of a log is never
replaced: a second one with a known id counts as a duplicate when equal, else as superseded; those
derived from spans are not counted. Equal log records (all fields) are one record.

The functions that write conclusions live in `store.write_derived` and are offered here too.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import polars as pl
import pyarrow as pa

from store import columns, rows
from store.decision_log import Leaf, leaf_key, leaves_of
from store.lease import Session
from store.model import Batch, BatchCounts, Span
from store.reload import former_logs
from store.rows import Row
from store.span_table import SpanTable, joined
from store.write_decisions import by_origin, store_decisions
from store.write_derived import replace_flows, write_incident, write_replays

__all__ = ["ready", "replace_flows", "write_batch", "write_incident", "write_replays"]


_SPAN_TABLES = ("spans", "span_events", "span_links")


class _Version(NamedTuple):
    """One version of a span: its row in the batch (-1: stored); the highest rank is kept."""

    row: int
    rank: tuple[bool, int, int]


@dataclass(slots=True)
class _Judged:
    """Rows of a batch that are left out; stored spans whose place is taken."""

    dropped: set[int] = field(default_factory=set)
    replaced: set[tuple[str, int]] = field(default_factory=set)


@dataclass(slots=True)
class _Tally:
    """What a batch did so far; `touched` are tables of `columns.TOUCHED`.

    `anew`: its bytes were loaded before, by another reader or under other rules.
    """

    anew: bool = False
    changed: bool = False
    duplicates: int = 0
    superseded: int = 0
    touched: list[pa.Table] = field(default_factory=list)

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
    records += sum(map(len, batch.encoded)) + sum(map(len, batch.encoded_logs))
    known = BatchCounts(duplicates=records, known_batch=True)
    if _is_known(session, key):  # asked before the work of encoding, and again inside
        return known
    batch = ready(batch)
    (spans,) = batch.encoded
    own = rows.table(map(rows.log_row, batch.logs), columns.LOG_SCHEMA)
    logs = pa.concat_tables([own, *(table.rows for table in batch.encoded_logs)])
    logged, derived = (list(map(rows.decision_row, some)) for some in (of_logs, of_spans))
    with session.transaction():
        if _is_known(session, key):
            return known
        tally = _Tally(anew=session.row("read/loaded_otherwise", key) != (0,))
        counts = BatchCounts(
            spans=_store_spans(session, spans, tally),
            logs=_store_logs(session, logs, tally),
            decisions=_store_decisions(session, logged, derived, tally, batch.leaves or ()),
            duplicates=tally.duplicates,
            superseded=tally.superseded,
            metrics=batch.metrics,
        )
        for incident in batch.incidents:
            write_incident(session, incident, keeping=True)
        _store_rejects(session, batch, key)
        if tally.changed:
            session.run("write/generation")
        touched = pa.concat_tables(tally.touched)
        if touched.num_rows:
            _mark(session, touched)
        _enter_ledger(session, batch, counts, key)
        if batch.end is not None:
            end = batch.end
            told = {"records": end.records, "truncated": end.truncated, "rejected": end.rejected}
            session.run("write/delete_inputs", key)
            session.run("write/inputs", {**key, **told})
    return counts


def ready(batch: Batch) -> Batch:
    """The same batch with all that can be done before a lease is held.

    Its spans are in one table, its logged decisions have their leaves.
    """
    if batch.leaves is None:
        logged, _ = by_origin(batch.decisions)
        made = leaves_of(list(map(rows.decision_row, logged)), leaf_key(batch.leaf_key))
        batch = replace(batch, leaves=made)
    if len(batch.encoded) == 1 and not batch.spans:
        return batch
    tables = [rows.span_table([]), *_encoded(batch.spans), *batch.encoded]
    return replace(batch, spans=(), encoded=[joined(tables)])


def _encoded(spans: Sequence[Span]) -> list[SpanTable]:
    encode = rows.span_encoder()
    return [rows.span_table([encode(span) for span in spans])] if spans else []


def _is_known(session: Session, key: Mapping[str, str]) -> bool:
    return session.row("read/ledger", key) != (0,)


def _store_spans(session: Session, spans: SpanTable, tally: _Tally) -> int:
    if not len(spans):
        return 0
    stored = columns.stored(spans.spans)
    keys = stored.select(columns.SPAN_KEYS.names)
    (low, high) = session.row_over("read/trace_range", "incoming", keys)
    span_range = {"low": low, "high": high}
    rivals = session.rows_over("read/rival_spans", "incoming", keys, **span_range)
    judged = _Judged()
    if rivals:
        judged = _judged(session, spans, rivals, span_range, tally)
        spans = spans.without(judged.dropped)
        stored = columns.stored(spans.spans)
        if judged.replaced:
            _delete_spans(session, judged.replaced, span_range)
    parts = (stored, columns.stored(spans.events), columns.stored(spans.links))
    for table, data in zip(_SPAN_TABLES, parts, strict=True):
        if data.num_rows:
            session.run_over(f"write/{table}", "incoming", data)
    tally.touched.append(_touched_by(spans, judged.replaced))
    tally.changed |= bool(len(spans))
    return len(spans) - len(judged.replaced)


def _judged(
    session: Session,
    spans: SpanTable,
    rivals: Sequence[Row],
    span_range: Mapping[str, int],
    tally: _Tally,
) -> "_Judged":
    """Of the spans that have rivals: what is left out, and what takes a stored one's place."""
    found: dict[tuple[str, int], list[_Version]] = {}
    with session.tables({**spans.numbered(), "rivals": rows.table(rivals, columns.SPAN_KEYS)}):
        for trace_id, span_id, row, start, end, digest in session.rows(
            "read/span_versions", span_range
        ):
            version = _Version(row, rows.rank(start, end, digest))
            found.setdefault((trace_id, span_id), []).append(version)
    judged = _Judged()
    for key, versions in found.items():
        stored = versions.pop(0) if versions[0].row < 0 else None
        newest = versions[0]
        for version in versions[1:]:
            tally.count(identical=version.rank == newest.rank)
            newest = max(newest, version, key=lambda one: one.rank)
        dropped = {version.row for version in versions if version is not newest}
        if stored is not None:
            tally.count(identical=stored.rank[-1] == newest.rank[-1])
            same_ends = newest.rank[:2] == stored.rank[:2] and newest.rank != stored.rank
            if newest.rank > stored.rank or (tally.anew and same_ends):
                judged.replaced.add(key)
            else:
                dropped.add(newest.row)
        judged.dropped |= dropped
    return judged


def _touched_by(spans: SpanTable, replaced: Collection[tuple[str, int]]) -> pa.Table:
    """Rows of `columns.TOUCHED`; a span that replaces another is not new to its trace."""
    frame = spans.keys()
    if replaced:
        keys = rows.table(replaced, columns.SPAN_KEYS)
        old = pl.DataFrame(keys).with_columns(is_new=False)
        frame = frame.join(old, on=["trace_id", "span_id"], how="left", maintain_order="left")
    else:
        frame = frame.with_columns(is_new=None)
    fresh = pl.col("is_new").cast(pl.Boolean).fill_null(True)
    touched = frame.select("trace_id", "start_ns", "end_ns", is_new=fresh)
    return touched.to_arrow(compat_level=pl.CompatLevel.oldest())


def _delete_spans(
    session: Session, outdated: Iterable[tuple[str, int]], span_range: Mapping[str, int]
) -> None:
    keys = rows.table(outdated, columns.SPAN_KEYS)
    for table in _SPAN_TABLES:
        session.run_over(f"write/delete_{table}", "outdated", keys, **span_range)


def _store_logs(session: Session, logs: pa.Table, tally: _Tally) -> int:
    if not logs.num_rows:
        return 0
    keys = columns.LOG_KEYS.names
    new = pl.DataFrame(logs).unique(keys, keep="first", maintain_order=True)
    known = session.rows_over("read/known_logs", "incoming", new.select(keys).to_arrow())
    if known:
        stored = pl.DataFrame(rows.table(known, columns.LOG_KEYS))
        new = new.join(stored, on=keys, how="anti", maintain_order="left")
    tally.duplicates += logs.num_rows - new.height
    former = former_logs(session, new.rows(), pl.DataFrame(logs).rows()) if tally.anew else []
    if former:
        session.run_over("write/delete_logs", "outdated", rows.table(former, columns.LOG_KEYS))
        tally.superseded += len(former)
    found = new.to_arrow(compat_level=pl.CompatLevel.oldest())
    session.run_over("write/logs", "incoming", columns.stored(found))
    tally.touched.append(_traces(new["trace_id"].drop_nulls().unique(maintain_order=True)))
    tally.changed |= bool(new.height)
    return new.height - len(former)


def _store_decisions(
    session: Session,
    logged: Sequence[Row],
    derived: Sequence[Row],
    tally: _Tally,
    leaves: Sequence[Leaf],
) -> int:
    done = store_decisions(session, logged, derived, leaves, anew=tally.anew)
    tally.duplicates += done.duplicates
    tally.superseded += done.superseded
    tally.changed |= done.changed
    tally.touched.append(rows.table(done.touched, columns.TOUCHED))
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


def _traces(trace_ids: Iterable[object]) -> pa.Table:
    return rows.table(((one, None, None, False) for one in trace_ids), columns.TOUCHED)


def _mark(session: Session, touched: pa.Table) -> None:
    session.run_over("write/traces", "incoming", touched)
    session.run_over("write/dirty", "incoming", touched)


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
