"""A difference at a recorded call names the line of code that its span names."""

from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.rebuild import RebuildSettings, rebuild
from replay.judge import unreplayable
from replay.lines import with_lines
from store.conclusions import Divergence
from store.lease import Store
from store.model import AttributeValue, Batch
from store.read import read_flow
from store.write import write_batch
from tests.analyzer.builder import Recording

NEW: dict[str, AttributeValue] = {
    "code.file.path": "shop/pay.py", "code.line.number": 41, "code.function.name": "Shop.charge",
}  # fmt: skip
OLD: dict[str, AttributeValue] = {"code.filepath": "shop/pay.py", "code.lineno": 41}


def stored(tmp_path: Path, named: dict[str, AttributeValue]) -> Store:
    flow = Recording()
    flow.reserve(10, 20)
    flow.charge(30, 40)
    spans = [
        replace(span, attributes={**span.attributes, **named}) if span.name == "POST /charges"
        else span
        for span in flow.all_spans()
    ]  # fmt: skip
    store = Store(tmp_path / "s.duckdb")
    batch = Batch(
        source="t", content_sha256="0", reader="t/1", rules_sha256="0",
        spans=spans, logs=(), decisions=(),
    )  # fmt: skip
    with store.lease("test", create=True) as session:
        write_batch(session, batch)
    rebuild(store, RebuildSettings())
    return store


@pytest.mark.parametrize(
    ("named", "said"),
    [(NEW, "shop/pay.py:41 in Shop.charge"), (OLD, "shop/pay.py:41"), ({}, "")],
)
def test_the_line_of_the_span_is_named_and_no_other(
    tmp_path: Path, named: dict[str, AttributeValue], said: str
) -> None:
    with stored(tmp_path, named).lease("test") as session:
        steps = {step.operation: step for step in read_flow(session, "order-1").steps}
        differing = [
            Divergence(kind="missing_call", step_id=step.step_id, recorded=1, replayed=2)
            for step in (steps["POST /reservations"], steps["POST /charges"])
        ]
        result = replace(unreplayable("order-1", ""), divergences=tuple(differing))
        [told] = with_lines(session, [result])
    assert [one.line for one in told.divergences] == ["", said]


def test_a_line_that_ran_is_not_replaced(tmp_path: Path) -> None:
    with stored(tmp_path, NEW).lease("test") as session:
        [step] = [s for s in read_flow(session, "order-1").steps if s.operation == "POST /charges"]
        ran = Divergence(
            kind="missing_call", step_id=step.step_id, recorded=1, replayed=2, line="fix.py:7"
        )
        result = replace(unreplayable("order-1", ""), divergences=(ran,))
        [told] = with_lines(session, [result])
    assert told.divergences[0].line == "fix.py:7"
