"""Only a declared rule is broken; what is not declared is shown and never a fault."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analyzer.conformance import ConformanceSettings, ConventionRule, reports
from analyzer.conformance.reports.coupling import circles
from analyzer.derive.declared import DeclaredFlow, DeclaredStep
from store.conclusions import Verdict
from store.model import Span
from tests.analyzer.conformance.recorded import answer, answers, cells, flow


def payment(number: int = 1) -> list[Span]:
    """Stock reserved, money charged."""
    made = flow(number)
    made.reserve(10, 20)
    made.charge(30, 40)
    return made.all_spans()


def test_nothing_declared_and_nothing_stored_is_not_applicable(tmp_path: Path) -> None:
    found = answers(tmp_path, [])
    assert list(found) == [report.name for report in reports()]
    for one in found.values():
        assert (one.verdict, one.declared, one.rows) == (Verdict.NOT_APPLICABLE, False, [])


def test_nothing_declared_is_shown_and_never_a_fault(tmp_path: Path) -> None:
    found = answers(tmp_path, payment())
    for one in found.values():
        assert one.verdict is Verdict.NOT_APPLICABLE
        assert list(one.evidence) == []
        assert all(set(row) == set(one.columns) for row in one.rows)
    assert {name for name, one in found.items() if one.rows} == {
        "allowed_calls", "boundary", "coupling", "transport",
    }  # fmt: skip


def test_a_pair_outside_the_allow_list_is_a_violation_with_its_span(tmp_path: Path) -> None:
    found = answer(
        tmp_path, payment(), "allowed_calls", allowed_calls=["orchestrator -> gateway-*"]
    )
    assert found.verdict is Verdict.VIOLATION
    assert cells(found, "callee", "allowed") == [("inventory", False), ("gateway-eu", True)]
    assert len(found.evidence) == 1
    allowed = ["orchestrator -> gateway-*", "* -> inventory"]
    assert answer(tmp_path, payment(), "allowed_calls", allowed_calls=allowed).verdict == "pass"


def test_critical_work_beside_the_orchestrator_is_outside_the_boundary(tmp_path: Path) -> None:
    rules = {"orchestrators": ["orchestrator"], "critical_flows": ["payment"]}
    assert answer(tmp_path, payment(), "boundary", **rules).verdict is Verdict.PASS
    made = flow(2)
    charged = made.charge(30, 40)
    made.add("settle", 50, 60, kind="consumer", service="ledger", parent=charged.span_id)
    found = answer(tmp_path, [*payment(), *made.all_spans()], "boundary", **rules)
    assert found.verdict is Verdict.VIOLATION
    assert cells(found, "flows", "flows_outside") == [(2, 1)]
    only_map = answer(tmp_path, made.all_spans(), "boundary", orchestrators=["orchestrator"])
    assert only_map.verdict is Verdict.NOT_APPLICABLE


def test_the_way_to_the_orchestrator_is_not_outside(tmp_path: Path) -> None:
    spans = [
        replace(span, parent_span_id="f" * 16) if span.parent_span_id is None else span
        for span in payment()
    ]
    door = replace(spans[0], span_id="f" * 16, parent_span_id=None, service="door", attributes={})
    rules = {"orchestrators": ["orchestrator"], "critical_flows": ["payment"]}
    assert answer(tmp_path, [door, *spans], "boundary", **rules).verdict is Verdict.PASS


def test_the_coupling_matrix_counts_calls_per_flow_and_finds_circles(tmp_path: Path) -> None:
    made = flow(2)
    made.reserve(10, 20, key="sku-1")
    made.reserve(30, 40, key="sku-2")
    made.call("orchestrator", "POST /back", 50, 60, key="b")
    made.spans[-2] = replace(made.spans[-2], service="inventory")
    spans = [*payment(), *made.all_spans()]
    found = answer(tmp_path, spans, "coupling", forbid_cycles=True)
    assert cells(found, "caller", "callee", "calls", "calls_per_flow_most", "cycle") == [
        ("orchestrator", "inventory", 3, 2, 1),
        ("inventory", "orchestrator", 1, 1, 1),
        ("orchestrator", "gateway-eu", 1, 1, None),
    ]
    assert found.verdict is Verdict.VIOLATION
    assert answer(tmp_path, payment(), "coupling", forbid_cycles=True).verdict is Verdict.PASS


def test_circles_are_all_services_that_reach_themselves() -> None:
    pairs = [("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("d", "e"), ("x", "y"), ("y", "x")]
    assert circles(pairs) == {"a": 1, "b": 1, "c": 1, "x": 2, "y": 2}
    assert circles([("a", "b"), ("b", "c"), ("a", "c")]) == {}


@pytest.mark.parametrize(
    ("scheme", "verdict"), [("https", "pass"), ("http", "violation"), (None, "unknown")]
)
def test_encryption_is_judged_by_what_the_span_says(
    tmp_path: Path, scheme: str | None, verdict: str
) -> None:
    made = flow()
    extra = {} if scheme is None else {"url.scheme": scheme}
    made.call("bank", "POST /pay", 10, 20, extra=extra)
    found = answer(tmp_path, made.all_spans(), "transport", require_tls=True)
    assert found.verdict == verdict
    assert len(found.evidence) == (verdict == "violation")


def test_a_call_without_recorded_credentials_is_unknown_not_unauthenticated(tmp_path: Path) -> None:
    made = flow()
    made.call("bank", "POST /pay", 10, 20)
    silent = answer(tmp_path, made.all_spans(), "transport", require_authentication=True)
    assert (silent.verdict, silent.unknown) == (Verdict.UNKNOWN, 1)
    made.call("bank", "POST /pay", 30, 40, extra={"retrospan.auth.method": "none"})
    said = answer(tmp_path, made.all_spans(), "transport", require_authentication=True)
    assert said.verdict is Verdict.VIOLATION


def test_a_token_that_lives_longer_than_declared_is_a_violation(tmp_path: Path) -> None:
    made = flow()
    made.call(
        "bank", "POST /pay", 10, 20, callee_seen=False,
        extra={"retrospan.auth.token.lifetime_s": 7200},
    )  # fmt: skip
    long = answer(tmp_path, made.all_spans(), "tokens", token_lifetime_max_s=3600)
    assert (long.verdict, cells(long, "too_long")) == (Verdict.VIOLATION, [(1,)])
    silent = answer(tmp_path, payment(), "tokens", token_lifetime_max_s=3600)
    assert silent.verdict is Verdict.UNKNOWN


def environment(spans: list[Span], name: str) -> list[Span]:
    return [replace(span, resource={"deployment.environment.name": name}) for span in spans]


def test_staging_covers_the_flows_whose_variant_it_has_seen(tmp_path: Path) -> None:
    other = flow(9)
    other.charge(30, 40, error="timeout", at_callee=201)
    live = [*payment(1), *payment(2), *payment(3), *other.all_spans()]
    spans = [*environment(live, "production"), *environment(payment(4), "staging")]
    found = answer(tmp_path, spans, "staging", staging_coverage_min=0.9)
    assert found.verdict is Verdict.VIOLATION
    assert cells(found, "in_production", "in_staging", "covered") == [(1, 0, False), (3, 1, True)]
    assert answer(tmp_path, spans, "staging", staging_coverage_min=0.7).verdict is Verdict.PASS
    bare = answer(tmp_path, environment(live, "production"), "staging", staging_coverage_min=0.9)
    assert bare.verdict is Verdict.NOT_APPLICABLE


def both_paths(number: int, old: str, new: str) -> list[Span]:
    """One flow that asks the old and the new service, as a shadow does."""
    made = flow(number)
    for name, body, start in (("v1", old, 10), ("v2", new, 30)):
        made.call(
            "prices", f"GET /{name}", start, start + 5, callee_seen=False, http=200,
            extra={"http.response.body.content": body, "retrospan.step.key": "k"},
        )  # fmt: skip
    return made.all_spans()


def test_old_and_new_answers_of_one_flow_are_compared_by_the_declared_fields(
    tmp_path: Path,
) -> None:
    spans = [
        *both_paths(1, '{"price": 5, "at": 1}', '{"price": 5, "at": 2}'),
        *both_paths(2, '{"price": 5, "at": 1}', '{"price": 6, "at": 2}'),
    ]
    path: dict[str, Any] = {"old": "prices GET /v1", "new": "prices GET /v2", "must_agree": True}
    rules = {"slices": 1, "paths": {"prices": {**path, "fields": ["/price"]}}}
    found = answer(tmp_path, spans, "paths", **rules)
    assert found.verdict is Verdict.VIOLATION
    assert cells(found, "old_calls", "new_calls", "share_new", "agree", "differ") == [
        (2, 2, 0.5, 1, 1)
    ]
    whole = answer(tmp_path, spans, "paths", slices=1, paths={"prices": path})
    assert cells(whole, "agree", "differ") == [(0, 2)]


def test_a_shadow_that_failed_cannot_be_compared(tmp_path: Path) -> None:
    spans = both_paths(1, "{}", "{}")
    spans = [
        replace(span, attributes={**span.attributes, "http.response.status_code": 503})
        if span.name == "GET /v2"
        else span
        for span in spans
    ]
    path = {"old": "prices GET /v1", "new": "prices GET /v2", "must_agree": True}
    found = answer(tmp_path, spans, "paths", slices=1, paths={"prices": path})
    assert (found.verdict, found.unknown) == (Verdict.UNKNOWN, 1)


def test_a_retired_path_that_is_still_called_is_a_violation(tmp_path: Path) -> None:
    path = {"old": "* GET /v1", "new": "* GET /v2", "retired": True}
    found = answer(tmp_path, both_paths(1, "{}", "{}"), "paths", paths={"prices": path})
    assert found.verdict is Verdict.VIOLATION
    assert len(found.evidence) == 1


def declared(*steps: DeclaredStep) -> dict[str, DeclaredFlow]:
    return {"payment": DeclaredFlow(name="payment", steps=steps)}


RESERVE = DeclaredStep(name="reserve", compensated_by="release")
CHARGE = DeclaredStep(name="charge-eu", compensated_by="refund")


def test_a_flow_that_takes_the_declared_steps_passes(tmp_path: Path) -> None:
    undone = flow(2, status="failed")
    reserved = undone.reserve(10, 20)
    undone.release(reserved, 30, 40)
    spans = [*payment(), *undone.all_spans()]
    found = answer(tmp_path, spans, "declared_flows", declared=declared(RESERVE, CHARGE))
    assert (found.verdict, found.checked, found.rows) == (Verdict.PASS, 2, [])


@pytest.mark.parametrize(
    ("steps", "departure"),
    [
        ((RESERVE, CHARGE, DeclaredStep(name="notify")), ("missing", "notify")),
        ((RESERVE,), ("undeclared", "charge-eu")),
        ((CHARGE, RESERVE), ("out of order", "reserve")),
    ],
)
def test_each_departure_from_the_declaration_is_told(
    tmp_path: Path, steps: tuple[DeclaredStep, ...], departure: tuple[str, str]
) -> None:
    found = answer(tmp_path, payment(), "declared_flows", declared=declared(*steps))
    assert found.verdict is Verdict.VIOLATION
    assert cells(found, "departure", "step") == [departure]


def test_a_step_missing_from_a_flow_with_missing_spans_is_unknown(tmp_path: Path) -> None:
    spans = [
        replace(span, parent_span_id="e" * 16) if span.kind == "server" and span.parent_span_id
        else span
        for span in payment()
    ]  # fmt: skip
    steps = declared(RESERVE, CHARGE, DeclaredStep(name="notify"))
    found = answer(tmp_path, spans, "declared_flows", declared=steps)
    assert (found.verdict, found.unknown) == (Verdict.UNKNOWN, 1)


def test_a_step_that_was_passed_over_is_missing_from_a_failed_flow_too(tmp_path: Path) -> None:
    skipping = flow(1, status="failed")
    skipping.charge(10, 20)
    found = answer(
        tmp_path, skipping.all_spans(), "declared_flows", declared=declared(RESERVE, CHARGE)
    )
    assert cells(found, "departure", "step") == [("missing", "reserve")]
    stopping = flow(1, status="failed")
    stopping.reserve(10, 20)
    steps = declared(RESERVE, CHARGE)
    ended = answer(tmp_path, stopping.all_spans(), "declared_flows", declared=steps)
    assert ended.verdict is Verdict.PASS


def test_an_optional_step_may_be_left_out(tmp_path: Path) -> None:
    steps = declared(RESERVE, CHARGE, DeclaredStep(name="notify", optional=True))
    assert answer(tmp_path, payment(), "declared_flows", declared=steps).verdict is Verdict.PASS


def test_services_and_teams_are_scored_against_the_convention(tmp_path: Path) -> None:
    rules = (
        ConventionRule(name="role", attribute="retrospan.saga.role", kind="client"),
        ConventionRule(name="method", attribute="http.request.method", pattern="POST"),
    )
    owners = {"stock": ["inventory"], "shop": ["orchestrator", "gateway-eu"]}
    spans = payment()
    found = answer(
        tmp_path, spans, "conventions", conventions=rules, owners=owners, convention_share_min=0.9
    )
    assert found.verdict is Verdict.VIOLATION
    assert cells(found, "owner", "service", "score", "worst_rule") == [
        ("shop", "all", 0.888889, "method"),
        ("stock", "all", 1.0, None),
        ("shop", "gateway-eu", 1.0, None),
        ("stock", "inventory", 1.0, None),
        ("shop", "orchestrator", 0.833333, "method"),
    ]
    only_shown = answer(tmp_path, spans, "conventions", conventions=rules)
    assert only_shown.verdict is Verdict.NOT_APPLICABLE


@pytest.mark.parametrize(
    "wrong",
    [
        {"allowed_calls": ["orchestrator"]},
        {"allowed_calls": ["-> inventory"]},
        {"paths": {"a": {"old": "x"}}},
        {"paths": {"a": {"old": "x", "new": "y", "other": 1}}},
        {"paths": {"a": {"old": "x", "new": 3}}},
        {"paths": {"a": {"old": "x", "new": "y", "fields": ["price"]}}},
        {"orchestrators": "orchestrator"},
        {"owners": {"team": "orchestrator"}},
        {"slices": 0},
        {"staging_coverage_min": 2.0},
    ],
)
def test_a_declaration_that_means_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ConformanceSettings(**wrong)
