"""The Mermaid text of a saga: recorded names stay labels."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.saga_path import saga_path, sanitised
from store.conclusions import Step, StepOutcome

LINE = re.compile(
    r"flowchart TD"
    r'|  n\d+(\[|\(\[)"[^"<>#;`{}\[\]]*"(\]|\]\))'
    r"|  n\d+ --> n\d+"
    r"|  n\d+ -\. (undoes|could not undo) \.-> n\d+"
    r"|  classDef bad stroke:#D55E00,stroke-width:3px"
    r"|  class n\d+(,n\d+)* bad"
)


def step(step_id: str, name: str = "charge", **more: object) -> Step:
    values: dict[str, object] = {
        "step_id": step_id,
        "key": "",
        "name": name,
        "kind": "call",
        "service": "shop",
        "callee": "bank",
        "operation": "",
        "outcome": StepOutcome.ERROR,
        "start_ns": 0,
        "end_ns": 1,
        "attempts": (),
        "role": "compensatable",
    }
    return Step(**(values | more))  # type: ignore[arg-type]  # the record's own names


@given(st.text(), st.text())
def test_no_name_breaks_out_of_its_label(first: str, second: str) -> None:
    steps = [
        step("a", first),
        step("b", second, role="compensation", compensates="a"),
    ]
    path = saga_path(steps)
    assert path is not None
    for row in path.split("\n"):
        assert LINE.fullmatch(row), row


@pytest.mark.parametrize(
    "name", ['"]; click n0 "javascript:alert(1)"', "%%{init: {}}%%", "end", "<b>x</b>", "`x`"]
)
def test_what_mermaid_would_read_as_code_is_gone(name: str) -> None:
    assert not re.search(r'["<>#;`{}\[\]%]', sanitised(name))


def test_without_a_compensation_there_is_no_path_to_draw() -> None:
    assert saga_path([step("a"), step("b")]) is None
    assert saga_path([]) is None
