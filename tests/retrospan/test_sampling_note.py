"""Answers that count flows as they are stored say so where sampling left others out."""

from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.rebuild import RebuildSettings, rebuild
from store.lease import Store
from store.model import Attributes, Batch, Span
from store.write import write_batch
from tests.analyzer.builder import make_span
from tests.retrospan.conftest import Command

QUARTER = "ot=th:c"  # one trace in four was kept


def flow(number: int, state: str = "", attributes: Attributes | None = None) -> Span:
    trace = f"{number:032x}"
    made = make_span("s", 0, 1, number=number, trace=trace, attributes=attributes or {})
    return replace(made, trace_state=state)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    return tmp_path / "sampled.duckdb"


def load(path: Path, *spans: Span) -> None:
    batch = Batch(source="t", content_sha256="1", reader="t/1", rules_sha256="0", spans=spans)
    with Store(path).lease("test", create=True) as session:
        write_batch(session, batch)
    rebuild(Store(path), RebuildSettings())


@pytest.mark.parametrize(
    "asked", [("flows", "variants"), ("sagas", "summary"), ("governance", "report")]
)
def test_counts_of_sampled_flows_say_what_they_stand_for(
    command: Command, made: Path, asked: tuple[str, str]
) -> None:
    load(made, flow(1, QUARTER), flow(2, QUARTER), flow(3, "ot=th:0"))
    said = command(*asked, "--db", made).err
    assert "sampling kept 2 of 3 flows, and those with a weight stand for about 9" in said


def test_an_unknown_sampling_is_said_too(command: Command, made: Path) -> None:
    load(made, flow(1, attributes={"sampling.priority": 1}), flow(2))
    said = command("flows", "variants", "--db", made).err
    assert "1 of 2 flows were sampled in a way not told" in said


def test_nothing_is_said_of_data_that_was_not_sampled(command: Command, made: Path) -> None:
    load(made, flow(1), flow(2))
    assert "sampl" not in command("flows", "variants", "--db", made).err
