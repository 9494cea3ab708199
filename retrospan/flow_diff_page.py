"""Two flows side by side, as a document and as a person reads them."""

from collections.abc import Iterator

from analyzer.derive.diff import Difference, FlowDiff, StepDifference
from retrospan.flow_page import attempts_text
from retrospan.listing import Column, Row
from retrospan.text import visible
from retrospan.timespan import humane
from store.conclusions import Flow, Step
from store.model import JsonValue

MARKS = {"added": "+", "removed": "-", "moved": "↕", "changed": "~", "same": "="}


def diff_document(found: FlowDiff) -> dict[str, JsonValue]:
    """`retrospan.flow_diff/1`."""
    return {
        "schema": "retrospan.flow_diff/1",
        "same": found.same,
        "order_compared": found.order_compared,
        "a": _side(found.a),
        "b": _side(found.b),
        "fields": [_field(one) for one in found.fields],
        "steps": [_step(one) for one in found.steps],
    }


def _side(flow: Flow) -> dict[str, JsonValue]:
    return {
        "flow_id": flow.flow_id,
        "name": flow.name,
        "outcome": flow.outcome.value,
        "variant": flow.variant,
        "duration_ns": _length(flow),
    }


def _length(flow: Flow) -> int | None:
    return None if flow.end_ns is None else flow.end_ns - flow.start_ns


def _field(one: Difference) -> dict[str, JsonValue]:
    return {"field": one.field, "a": one.a, "b": one.b}


def _step(one: StepDifference) -> dict[str, JsonValue]:
    shown = _shown(one)
    return {
        "change": one.change,
        "name": shown.name,
        "key": shown.key,
        "callee": shown.callee,
        "step_a": one.a.step_id if one.a is not None else None,
        "step_b": one.b.step_id if one.b is not None else None,
        "took_a_ns": one.took_a_ns,
        "took_b_ns": one.took_b_ns,
        "share_a": one.share_a,
        "share_b": one.share_b,
        "fields": [_field(field) for field in one.fields],
    }


def _shown(one: StepDifference) -> Step:
    found = one.b if one.b is not None else one.a
    assert found is not None
    return found


def diff_head(found: FlowDiff) -> Iterator[str]:
    """What differs between the flows as wholes."""
    for letter, flow in (("A", found.a), ("B", found.b)):
        yield (
            f"{letter} {visible(flow.flow_id)}  {visible(flow.name)} {visible(flow.version)}  "
            f"{flow.outcome.value}  {humane(_length(flow))}"
        )
    for one in found.fields:
        yield f"  {one.field}: {_words(one.a)} → {_words(one.b)}"
    if found.same:
        yield "  nothing differs but ids and times"
    if not found.order_compared:
        yield "  too many steps to compare their order"


def _words(value: JsonValue) -> str:
    if isinstance(value, list):
        return ", ".join(visible(str(entry)) for entry in value) or "–"
    return "–" if value is None or value == "" else visible(str(value))


def diff_rows(found: FlowDiff) -> list[Row]:
    """One row per step of either flow."""
    return [
        {
            "change": f"{MARKS[one.change]} {one.change}",
            "step": _shown(one).name,
            "key": _shown(one).key,
            "callee": _shown(one).callee or _shown(one).service,
            "a": _ended(one.a),
            "b": _ended(one.b),
            "took_a_ns": one.took_a_ns,
            "took_b_ns": one.took_b_ns,
            "share_a": one.share_a,
            "share_b": one.share_b,
        }
        for one in found.steps
    ]


def _ended(step: Step | None) -> str | None:
    if step is None:
        return None
    role = f" ({step.role})" if step.role == "compensation" else ""
    return f"{attempts_text(step) or step.outcome.value}{role}"


def _duration(row: Row, name: str) -> str:
    value = row[name]
    return str(humane(value if isinstance(value, int) else None))


def _percent(row: Row, name: str) -> str | None:
    value = row[name]
    return f"{value:.1%}" if isinstance(value, float) else None


DIFF_COLUMNS = (
    Column(header="change", show=lambda row: row["change"]),
    Column(header="step", show=lambda row: row["step"]),
    Column(header="key", show=lambda row: row["key"]),
    Column(header="callee", show=lambda row: row["callee"]),
    Column(header="attempts in A", show=lambda row: row["a"]),
    Column(header="attempts in B", show=lambda row: row["b"]),
    Column(header="took in A", show=lambda row: _duration(row, "took_a_ns"), right=True),
    Column(header="took in B", show=lambda row: _duration(row, "took_b_ns"), right=True),
    Column(header="of A", show=lambda row: _percent(row, "share_a"), right=True),
    Column(header="of B", show=lambda row: _percent(row, "share_b"), right=True),
)
