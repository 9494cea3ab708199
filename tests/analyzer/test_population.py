"""The population is judged of one state of the data, written as a set, and never shown stale."""

from pathlib import Path

import pytest

from analyzer import population as module
from analyzer.detectors import population_detectors
from analyzer.population import PopulationSettings, judge_population
from analyzer.rebuild import RebuildSettings, rebuild
from store.conclusions import Verdict
from store.errors import InvariantError
from store.lease import Session, Store
from store.model import Batch, Span
from store.population import read_population_state, replace_population
from store.read import read_findings
from store.write import write_batch
from tests.analyzer.population import flow, moved, stored

SETTINGS = PopulationSettings()


def storm(first: int = 0) -> list[Span]:
    """Retries in every call for longer than a bin."""
    spans: list[Span] = []
    for number in range(first, first + 60):
        made = flow(number)
        made.call("ledger", "POST /postings", 10, 20, http=503)
        made.call("ledger", "POST /postings", 100, 120)
        spans += moved(made.all_spans(), number % 60 * 250)
    return spans


def add(store: Store, spans: list[Span], name: str) -> None:
    batch = Batch(source="t", content_sha256=name, reader="t/1", rules_sha256="0", spans=spans)
    with store.lease("test") as session:
        write_batch(session, batch)


def found(store: Store) -> list[str]:
    with store.lease("test") as session:
        return [it.finding_id for it in read_findings(session) if it.scope == "population"]


def test_findings_are_written_once_and_keep_their_ids(tmp_path: Path) -> None:
    store = stored(tmp_path, storm())
    first = judge_population(store, SETTINGS)
    assert first.written and first.findings > 0
    ids = found(store)
    assert not judge_population(store, SETTINGS).written
    add(store, storm(100), "more")
    rebuild(store, RebuildSettings())
    assert judge_population(store, SETTINGS).written
    assert found(store) == ids


def test_what_was_said_before_new_data_came_is_not_shown(tmp_path: Path) -> None:
    store = stored(tmp_path, storm())
    judge_population(store, SETTINGS)
    add(store, storm(100), "more")
    with store.lease("test") as session:
        state = read_population_state(session)
        assert [it for it in read_findings(session) if it.flow_id is None] == []
    assert state.stale and state.underived > 0


def test_data_that_comes_in_meanwhile_makes_it_judge_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = stored(tmp_path, storm())
    overtaking = iter(["once"])
    write = replace_population

    def late(session: Session, **given: object) -> bool:
        for name in overtaking:
            add(store, storm(100), name)
        return write(session, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "replace_population", late)
    assert judge_population(store, SETTINGS).written
    with store.lease("test") as session:
        assert not read_population_state(session).stale


def test_findings_of_another_generation_are_refused_whole(tmp_path: Path) -> None:
    store = stored(tmp_path, storm())
    judge_population(store, SETTINGS)
    ids = found(store)
    with store.lease("test") as session:
        assert not replace_population(session, generation=99, findings=[])
    assert found(store) == ids


def test_every_detector_says_what_it_looked_at(tmp_path: Path) -> None:
    store = stored(tmp_path, storm())
    judge_population(store, SETTINGS)
    with store.lease("test") as session:
        rows = {it.detector: it for it in read_population_state(session).coverage}
    assert rows.keys() == {it.name for it in population_detectors()}
    assert rows["retry_storm"].verdict is Verdict.VIOLATION
    assert all(row.message.startswith("looked at ") for row in rows.values())


def test_nothing_is_no_health(tmp_path: Path) -> None:
    store = stored(tmp_path, [])
    judge_population(store, SETTINGS)
    with store.lease("test") as session:
        verdicts = {it.verdict for it in read_population_state(session).coverage}
    assert verdicts <= {Verdict.NOT_APPLICABLE, Verdict.UNKNOWN}


def test_other_settings_judge_again_and_unknown_sampling_accuses_nobody(tmp_path: Path) -> None:
    store = stored(tmp_path, storm())
    judge_population(store, SETTINGS)
    assert judge_population(store, PopulationSettings(unknown_sampling=True)).written
    with store.lease("test") as session:
        verdicts = {it.verdict for it in read_findings(session) if it.flow_id is None}
    assert Verdict.VIOLATION not in verdicts


def test_every_question_of_a_detector_takes_its_settings() -> None:
    from dataclasses import fields

    from store.query import load

    for detector in population_detectors():
        known = {entry.name for entry in fields(detector.settings)}
        for path in detector.questions:
            assert load(path).params <= known, (detector.name, path.name)
        assert detector.settings() == detector.settings()


def test_a_detector_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import analyzer.detectors as detectors
    import analyzer.resilience.retry_storm as storm_module

    monkeypatch.setattr(storm_module, "DETECTOR", "none")
    detectors.all_detectors.cache_clear()
    try:
        with pytest.raises(InvariantError, match="retry_storm exports no DETECTOR"):
            detectors.all_detectors()
    finally:
        monkeypatch.undo()
        detectors.all_detectors.cache_clear()
