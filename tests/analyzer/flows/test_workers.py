"""Several processes conclude what one does, byte for byte."""

from pathlib import Path

import pytest

from analyzer import rebuild as module
from analyzer import workers
from analyzer.rebuild import RebuildSettings, rebuild
from store.lease import Store
from store.model import Batch
from store.read import read_findings, read_flows, read_sagas
from store.write import write_batch
from tests.analyzer.builder import Recording


def loaded(path: Path) -> Store:
    """Seven payments, some charged twice and never refunded."""
    spans = []
    for number in range(1, 8):
        flow = Recording(status="failed", flow_id=f"order-{number}", trace=f"{number:032x}")
        flow.charge(10, 20, key="k1", error="timeout", at_callee=201, callee_ref="ch-1")
        if number % 2:
            flow.charge(30, 40, key="k2", ref="ch-2")
        spans += flow.all_spans()
    store = Store(path)
    with store.lease("test", create=True) as session:
        batch = Batch(source="t", content_sha256="c", reader="t", rules_sha256="0", spans=spans)
        write_batch(session, batch)
    return store


def test_several_processes_conclude_what_one_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "PARALLEL_TRACES_MIN", 1)
    monkeypatch.setattr(workers, "FLOWS_PER_SLICE", 2)
    answers, told = [], []
    for processes in (1, 2):
        store = loaded(tmp_path / f"{processes}.duckdb")
        report = rebuild(
            store, RebuildSettings(), lambda _, done: told.append(done), processes=processes
        )
        with store.lease("test") as session:
            answers.append((read_flows(session), read_sagas(session), read_findings(session)))
        assert report.flows == 7
    assert answers[0] == answers[1]
    assert answers[0][2], "something was found"
    assert told == [2, 4, 6, 7] * 2
    assert capfd.readouterr().err == "", "the processes end without a word"


def test_few_traces_are_not_worth_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(workers, "ProcessPoolExecutor", refuse)
    assert rebuild(loaded(tmp_path / "s.duckdb"), RebuildSettings(), processes=8).flows == 7
