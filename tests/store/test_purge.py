"""What is purged is gone from every table, and nothing else is.

Bytes in free blocks are looked for in one file only; that DuckDB never copies them elsewhere
(spill files) cannot be shown.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from store import purge, upgrade
from store.decision_log import check_log
from store.errors import NotFoundError, UsageError
from store.lease import LeaseSettings, Session, Store
from store.model import Batch, Decision, Span
from store.read import (
    counts,
    read_decisions,
    read_dirty,
    read_flows,
    read_incidents,
    read_logs,
    read_replays,
    read_spans,
)
from store.values import to_json
from store.write import write_batch
from tests.store.purge_world import (
    DAY,
    SECRET,
    START,
    content,
    decision,
    derived,
    fill,
    key,
    log,
    spans_of,
    trace,
)


@pytest.fixture
def days() -> dict[int, list[Span]]:
    """Three flows, a day apart."""
    return {day: spans_of(day) for day in range(3)}


@pytest.fixture
def filled(path: Path, days: dict[int, list[Span]]) -> Iterator[Session]:
    with Store(path).lease("test", create=True) as session:
        fill(session, days)
        yield session


def everything(session: Session) -> str:
    """All rows of all tables, as text."""
    tables = [name for (name,) in session.rows("read/tables") if not name.startswith("purge_")]
    return "\n".join(
        f"{name} {row!r}"
        for name in tables
        for row in sorted(map(repr, session.cursor.table(name).fetchall()))
    )


@pytest.mark.parametrize(
    "run",
    [
        lambda session: purge.purge_before(session, START + DAY),
        lambda session: purge.purge_flows(session, ["flow-0"]),
    ],
    ids=["before", "flow"],
)
def test_a_purged_flow_is_gone_from_every_table_and_the_others_are_whole(
    filled: Session, run: Callable[[Session], purge.Purged]
) -> None:
    before = everything(filled)
    assert f"{SECRET}0" in before
    done = run(filled)
    after = everything(filled)
    assert f"{SECRET}0" not in after
    assert trace(0) not in after.replace("-", "")
    lost = set(before.splitlines()) - set(after.splitlines())
    assert not [line for line in lost if f"{SECRET}1" in line or f"{SECRET}2" in line]
    assert [one.span_id for one in read_spans(filled)] == [
        key(day, number) for day in (1, 2) for number in (1, 2)
    ]
    assert [one.flow_id for one in read_flows(filled)] == ["flow-1", "flow-2"]
    assert [one.trace_id for one in read_logs(filled)] == [trace(1), trace(2)]
    assert {one.flow_id for one in read_replays(filled)} == {"flow-1", "flow-2"}
    assert [one.flow_ids for one in read_incidents(filled)] == [("flow-1", "flow-2")]
    assert done == purge.Purged(
        flows=1,
        traces=1,
        spans=2,
        span_events=2,
        span_links=2,
        logs=1,
        decisions=1,
        payloads=1,
        sagas=1,
        findings=2,
        replays=1,
    )


def test_a_purged_decision_keeps_its_proof_and_nothing_else(filled: Session) -> None:
    ((stored, leaf, content_hash),) = filled.cursor.execute(
        "SELECT record, leaf_index, content_hash FROM decisions WHERE decision_id = 'decision-0'"
    ).fetchall()
    ((proof, salt),) = filled.cursor.execute(
        "SELECT leaf, salt FROM decision_leaves WHERE decision_id = 'decision-0'"
    ).fetchall()
    assert len(salt) == 32
    before = check_log(filled)
    purge.purge_flows(filled, ["flow-0"])
    after = check_log(filled)
    assert (after.faults, after.purged, after.root_hash) == ([], 1, before.root_hash)
    ((salt,),) = filled.cursor.execute(
        "SELECT salt FROM decision_leaves WHERE decision_id = 'decision-0'"
    ).fetchall()
    assert salt is None
    (kept,) = [one for one in read_decisions(filled) if one.decision_id == "decision-0"]
    assert stored == to_json(decision(0).record)
    assert kept == Decision(
        decision_id="decision-0",
        time_ns=START + 7,
        chosen="",
        record={
            "retrospan.purged": True,
            "leaf_sha256": proof.hex(),
        },
    )
    row = filled.cursor.execute(
        "SELECT leaf_index, content_hash FROM decisions WHERE decision_id = 'decision-0'"
    ).fetchall()
    assert row == [(leaf, content_hash)]
    again = purge.purge_before(filled, START + DAY)
    assert again.nothing, "a proof is purged once"


def test_a_decision_that_stands_in_no_log_goes_wholly(filled: Session) -> None:
    filled.cursor.execute("UPDATE decisions SET leaf_index = NULL WHERE decision_id = 'decision-0'")
    assert purge.purge_flows(filled, ["flow-0"]).decisions == 1
    assert {one.decision_id for one in read_decisions(filled)} == {"decision-1", "decision-2"}


def test_loading_the_same_input_again_brings_nothing_back(
    filled: Session, days: dict[int, list[Span]]
) -> None:
    purge.purge_before(filled, START + DAY)
    assert write_batch(filled, content(days)).known_batch
    assert counts(filled).spans == 4
    other = Batch(
        source="copy.jsonl",
        content_sha256="1:0",
        reader="hand/1",
        rules_sha256="0",
        decisions=[decision(0)],
    )
    done = write_batch(filled, other)
    assert (done.decisions, done.duplicates) == (0, 1), "a decision is in the log once"


def test_a_dry_run_counts_the_same_and_changes_nothing(filled: Session) -> None:
    before = everything(filled)
    told = purge.purge_before(filled, START + DAY, dry_run=True)
    assert everything(filled) == before
    assert purge.purge_before(filled, START + DAY) == told != purge.Purged()


def test_nothing_to_purge_does_not_make_anyone_derive_again(filled: Session) -> None:
    generation = counts(filled).generation
    assert purge.purge_before(filled, START).nothing
    assert counts(filled).generation == generation
    purge.purge_before(filled, START + DAY)
    assert counts(filled).generation == generation + 1


@pytest.mark.parametrize(
    "late",
    [
        Batch(
            source="late",
            content_sha256="late:0",
            reader="hand/1",
            rules_sha256="0",
            logs=[log(0, time_ns=START + 2 * DAY)],
        ),
        Batch(
            source="late",
            content_sha256="late:0",
            reader="hand/1",
            rules_sha256="0",
            spans=[
                Span(
                    trace_id=trace(0),
                    span_id=key(0, 9),
                    parent_span_id=None,
                    name="n",
                    kind="server",
                    service="s",
                    start_ns=START + 2 * DAY,
                    end_ns=None,
                )
            ],
        ),
    ],
    ids=["log", "span"],
)
def test_a_trace_with_later_data_stays_with_its_whole_flow(filled: Session, late: Batch) -> None:
    write_batch(filled, late)
    derived(filled)
    assert purge.purge_before(filled, START + DAY).nothing


def test_a_flow_over_two_traces_goes_only_as_a_whole(path: Path) -> None:
    spans = {0: spans_of(0) + spans_of(2), 1: spans_of(1)}
    with Store(path).lease("test", create=True) as session:
        fill(session, spans)
        purge.purge_before(session, START + 2 * DAY)
        assert [one.flow_id for one in read_flows(session)] == ["flow-0"]
        assert {one.trace_id for one in read_spans(session)} == {trace(0), trace(2)}


def test_what_is_not_derived_yet_is_not_purged(filled: Session) -> None:
    filled.cursor.execute("INSERT INTO dirty_traces VALUES ($trace, 1)", {"trace": trace(0)})
    assert purge.purge_before(filled, START + DAY).nothing


def test_spans_of_another_flow_in_the_same_trace_stay_and_are_derived_again(path: Path) -> None:
    spans = {0: spans_of(0), 1: spans_of(1, trace_day=0)}
    with Store(path).lease("test", create=True) as session:
        fill(session, spans)
        done = purge.purge_flows(session, ["flow-0"])
        assert (done.spans, done.traces) == (2, 0)
        assert [one.span_id for one in read_spans(session)] == [key(1), key(1, 2)]
        assert read_dirty(session).trace_ids == (trace(0),)
        shrunk = session.cursor.execute(
            "SELECT min_ns, max_ns, spans FROM traces WHERE spans > 0"
        ).fetchall()
        assert shrunk == [(START + DAY + 1, START + DAY + 100, 2)]


def test_logs_and_decisions_without_a_trace_go_by_time_unless_their_flow_stays(
    filled: Session,
) -> None:
    loose: dict[str, Any] = {"trace_id": None, "span_id": None}
    write_batch(
        filled,
        Batch(
            source="loose",
            content_sha256="loose:0",
            reader="hand/1",
            rules_sha256="0",
            logs=[
                log(0, **loose, body="old"),
                log(0, **loose, body="kept", attributes={"retrospan.flow.id": "flow-2"}),
                log(2, **loose, body="new"),
            ],
            decisions=[
                decision(0, **loose, decision_id="old"),
                decision(0, **loose, decision_id="kept", flow_id="flow-2"),
                decision(2, **loose, decision_id="new"),
            ],
        ),
    )
    derived(filled)
    purge.purge_before(filled, START + DAY)
    bodies = [one.body for one in read_logs(filled) if one.trace_id is None]
    assert bodies == ["kept", "new"]
    reduced = {one.decision_id for one in read_decisions(filled) if not one.chosen}
    assert reduced == {"old", "decision-0"}
    purge.purge_flows(filled, ["flow-2"])
    bodies = [one.body for one in read_logs(filled) if one.trace_id is None]
    assert bodies == ["new"]


def test_an_unknown_flow_is_named_and_nothing_is_purged(filled: Session) -> None:
    with pytest.raises(NotFoundError, match="flow-77"):
        purge.purge_flows(filled, ["flow-0", "flow-77"])
    with pytest.raises(UsageError, match="no flow"):
        purge.purge_flows(filled, [])
    assert counts(filled).flows == 3


def test_after_rewriting_the_bytes_are_gone_from_the_file(
    path: Path, days: dict[int, list[Span]]
) -> None:
    with Store(path).lease("test", create=True) as session:
        fill(session, days)
        purge.purge_flows(session, ["flow-0"])
        left = everything(session)
    done = upgrade.rewrite(path, LeaseSettings())
    assert f"{SECRET}0".encode() not in path.read_bytes()
    assert f"{SECRET}1".encode() in path.read_bytes(), "stored plainly, so the search can find it"
    assert done.rows["spans"] == 4
    with Store(path).lease("test") as session:
        assert everything(session) == left


def test_no_kind_stays_that_no_flow_is_of(path: Path, days: dict[int, list[Span]]) -> None:
    kept = (
        "SELECT count(*), count(*) FILTER (kind IN (SELECT facts FROM flow_heads)) FROM flow_kinds"
    )
    with Store(path).lease("test", create=True) as session:
        fill(session, days)
        session.cursor.execute('INSERT INTO flow_kinds VALUES (1, \'{"name": "gone"}\')')
        purge.purge_flows(session, ["flow-0"])
        ((kinds, named),) = session.cursor.execute(kept).fetchall()
    assert kinds == named > 0
