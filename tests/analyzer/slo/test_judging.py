"""Flows of one kind are judged once, and never differently from being asked one by one."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.expression import Expression
from analyzer.facts import FlowFacts, Values
from analyzer.slo.budget import alert_state, critical
from analyzer.slo.timeline import Timeline, timeline
from store.model import JsonValue
from tests.analyzer.slo.documents import SLO, START, S, line, read

KINDS: tuple[dict[str, JsonValue], ...] = (
    {"name": "payment", "succeeded": True, "step_count": 3},
    {"name": "payment", "succeeded": False, "step_count": 3},
    {"name": "payment", "succeeded": None, "step_count": 4},
    {"name": "other", "succeeded": True, "step_count": 3},
)
PREDICATES = (
    "succeeded",
    "succeeded && duration_ms < 2000",
    "duration_ms <= 2000.5 || (duration_ms > 4e3 && !succeeded)",
    "duration_ms < 1000 ? succeeded : duration_ms == 2000",
    "duration_ms * 2.0 < 4000.0",
    'flow_id == "f1" || succeeded',
)
LASTED = (None, 999.9, 1000.0, 1999.999999, 2000.0, 2000.5, 4000.0, 4000.000001)


def flow(at: int, kind: int, lasted: float | None) -> FlowFacts:
    return FlowFacts(
        flow_id=f"f{at}",
        at_ns=START + at,
        start_ns=START,
        ended=lasted is not None,
        weight=Fraction(1),
        values=Values(kind, KINDS[kind], f"f{at}", lasted),
    )


@pytest.mark.parametrize("predicate", PREDICATES)
def test_flows_of_a_kind_are_judged_as_if_each_was_asked(tmp_path: Path, predicate: str) -> None:
    slo = read(tmp_path, SLO.replace("predicate: succeeded", f"predicate: '{predicate}'"))
    assert slo.good is not None
    flows = [
        flow(at, kind, lasted)
        for at, (kind, lasted) in enumerate(
            (kind, lasted) for _ in range(2) for kind in range(len(KINDS)) for lasted in LASTED
        )
    ]
    counted = [one for one in flows if one.values["name"] == "payment"]
    found = timeline(slo, flows)
    assert {it.flow_id: it.good for it in found.events} == {
        one.flow_id: slo.good.holds(one.values) for one in counted if one.ended
    }
    assert found.open_flows == sum(not one.ended for one in counted)


def test_a_kind_is_asked_once_where_only_what_is_compared_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slo = read(tmp_path, SLO.replace("predicate: succeeded", "predicate: duration_ms < 2000"))
    asked: list[object] = []
    answer = Expression.holds

    def counting(self: Expression, facts: Mapping[str, JsonValue]) -> bool | None:
        asked.append(facts["flow_id"])
        return answer(self, facts)

    monkeypatch.setattr(Expression, "holds", counting)
    timeline(slo, [flow(at, 0, 100.0 * at) for at in range(100)])
    assert sorted(set(map(str, asked))) == ["f0", "f20", "f21"], "below 2000, at it, above it"


@settings(max_examples=40, deadline=None)
@given(words=st.lists(st.sampled_from([True, True, False, None]), min_size=1, max_size=60))
def test_looking_often_says_what_the_state_says(
    tmp_path_factory: pytest.TempPathFactory, words: list[bool | None]
) -> None:
    found: Timeline = line(*words, every=60 * S)
    slo = read(tmp_path_factory.mktemp("slo"), SLO)
    for rule in slo.rules:
        for at_ns in range(START, START + 61 * 60 * S, 7 * 60 * S):
            state = alert_state(found, slo.method, slo.objectives[0], rule, at_ns).state
            said = critical(found, slo.method, slo.objectives[0], rule, at_ns)
            assert said == (state == "critical")
