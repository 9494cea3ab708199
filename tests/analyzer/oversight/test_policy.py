"""Another policy's answers to recorded decisions are exact, or unknown where facts are missing."""

import hashlib
import os
import shutil
import stat
import sys
from pathlib import Path

import pytest

from analyzer.oversight import rego
from analyzer.oversight.asked import asked
from analyzer.oversight.backtest import backtest
from analyzer.oversight.policy import facts_of, load_policy
from store.errors import DataError, RetrospanError, UsageError
from tests.analyzer.oversight.test_metrics import acted, decided

POLICY = """
schema: retrospan.policy/1
id: risk
version: v2
rules:
  - when: chosen == "reject"
    outcome: deny
  - when: confidence >= threshold && input.amount < 100.0
    outcome: allow
    reason: sure, and not much
default: escalate
"""


def written(folder: Path, text: str = POLICY, name: str = "policy.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_the_first_rule_that_holds_decides_and_else_the_default(tmp_path: Path) -> None:
    policy = load_policy(written(tmp_path))
    sure = {"confidence": "0.9", "threshold": "0.8"}
    decisions = [
        decided(chosen="reject"),
        decided(input={"amount": 5.0}, **sure),
        decided(input={"amount": 500.0}, **sure),
        decided(input={"amount": 500.0}),
        decided(**sure),
    ]
    answers = [policy.outcome(facts_of(it)) for it in decisions]
    assert answers == ["deny", "allow", "escalate", "escalate", None]


def test_a_backtest_names_what_changes_and_bounds_what_is_unknown() -> None:
    decisions = [
        acted(decided(0, gate="allow")),
        acted(decided(1, gate="allow"), 1),
        decided(2, gate="deny"),
        decided(3, gate="deny"),
        decided(4),
    ]
    found = backtest(decisions, ["allow", "escalate", "deny", None, "escalate"])
    assert [(it.decision_id, it.recorded, it.answered) for it in found.changes] == [
        ("d-1", "allow", "escalate"), ("d-4", "", "escalate"),
    ]  # fmt: skip
    assert (found.n, found.unknown, found.flow_ids) == (4, 1, ["f-1"])
    assert found.share is not None
    assert (found.share.low, found.share.high) == (0.4, 0.6)
    assert backtest([], []).share is None


def test_the_policy_that_was_in_force_changes_nothing(tmp_path: Path) -> None:
    policy = load_policy(written(tmp_path, POLICY.replace("input.amount < 100.0", "true")))
    decisions = [
        decided(gate="deny", chosen="reject"),
        decided(gate="allow", confidence="0.9", threshold="0.8"),
        decided(gate="escalate", confidence="0.7", threshold="0.8"),
    ]
    found = backtest(decisions, [policy.outcome(facts_of(it)) for it in decisions])
    assert (found.changes, found.unknown) == ([], 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "is no YAML"),
        ("- 1", "begins with `schema: retrospan.policy/1`"),
        (POLICY.replace("version: v2", "version: 2"), "version must be a text"),
        (POLICY.replace("outcome: deny", "outcome: perhaps"), "rule 1: outcome 'perhaps'"),
        (POLICY.replace("default: escalate", ""), "default: outcome None"),
        (POLICY.replace("confidence >=", "confidance >="), "did you mean confidence"),
        (POLICY.replace("reason:", "because:"), "rule 2 has because"),
        (POLICY.replace("rules:", "rulez:"), "the policy has rulez"),
        (POLICY.replace('chosen == "reject"', "chosen =="), "is no CEL"),
        ("!!python/object/apply:os.system [ls]", "is no YAML"),
    ],
)
def test_a_bad_policy_is_refused_with_file_and_fault(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(RetrospanError, match=said) as raised:
        load_policy(path)
    assert str(path) in str(raised.value)


def test_rego_is_refused_by_name_where_opa_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="`opa` command, which is not installed"):
        rego.rego_outcomes(tmp_path / "p.rego", "data.risk.outcome", [])


@pytest.mark.parametrize("rule", ["risk.outcome", "data.x; drop", "data.x[_]"])
def test_a_rule_is_a_name_and_nothing_else(tmp_path: Path, rule: str) -> None:
    with pytest.raises(UsageError, match="is no rule"):
        rego.rego_outcomes(tmp_path / "p.rego", rule, [])


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('[[0, "allow"], [2, {"outcome": "deny"}]]', ["allow", None, "deny"]),
        ('[[0, "perhaps"]]', DataError),
        ("3", DataError),
    ],
)
def test_what_opa_answers_is_read_in_the_order_of_the_decisions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, expected: object
) -> None:
    """A stand-in for `opa` that answers as `opa eval --format json` does; its logic is not."""
    said = '{"result": [{"expressions": [{"value": ' + answer + "}]}]}"
    stand_in = tmp_path / "opa"
    stand_in.write_text(f"#!/bin/sh\nread -r ignored\nprintf '%s' '{said}'\n")
    stand_in.chmod(stand_in.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    facts = [facts_of(decided(at)) for at in range(3)]
    if isinstance(expected, list):
        assert rego.rego_outcomes(tmp_path / "p.rego", "data.risk.outcome", facts) == expected
    else:
        with pytest.raises(DataError):
            rego.rego_outcomes(tmp_path / "p.rego", "data.risk.outcome", facts)


@pytest.fixture(params=["opa", "regorus"])
def opa(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The `opa` command: the real one where it is installed, and one that asks regorus."""
    if request.param == "opa":
        if shutil.which("opa") is None:
            pytest.skip("the `opa` command is not installed")
        return
    script = Path(__file__).with_name("opa_with_regorus.py")
    command = tmp_path / "bin" / "opa"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")


REGO = """package risk
import rego.v1

outcome := {"outcome": "deny", "why": "refused"} if input.chosen == "reject"
else := "allow" if {
    input.confidence >= input.threshold
    input.input.amount < 100
}
else := "escalate" if input.threshold
"""


@pytest.mark.usefixtures("opa")
def test_a_rego_policy_says_of_each_decision_what_the_same_rules_in_cel_say(tmp_path: Path) -> None:
    path = written(tmp_path, REGO, "p.rego")
    sure = {"confidence": "0.9", "threshold": "0.8"}
    decisions = [
        decided(chosen="reject"),
        decided(input={"amount": 5.0}, **sure),
        decided(input={"amount": 500.0}, **sure),
        decided(confidence="0.9"),
    ]
    found = asked(path, "data.risk.outcome", [facts_of(it) for it in decisions])
    assert found.answers == ["deny", "allow", "escalate", None]
    assert (found.policy_id, found.version) == ("data.risk.outcome", None)
    assert found.sha256 == hashlib.sha256(REGO.encode()).hexdigest()
    cel = load_policy(written(tmp_path))
    assert [cel.outcome(facts_of(it)) for it in decisions[:3]] == found.answers[:3]


@pytest.mark.usefixtures("opa")
@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("package risk\noutcome := {", "data.risk.outcome"),
        (REGO.replace('"allow"', '"perhaps"'), "data.risk.outcome"),
    ],
)
def test_a_rego_policy_that_is_none_or_says_else_is_refused(
    tmp_path: Path, text: str, rule: str
) -> None:
    path = written(tmp_path, text, "p.rego")
    facts = [facts_of(decided(confidence="1", threshold="0", input={"amount": 1}))]
    with pytest.raises(DataError) as raised:
        asked(path, rule, facts)
    assert str(path) in str(raised.value)
    assert "refused it: {" not in str(raised.value)


def test_a_rule_belongs_to_a_rego_file_and_to_no_other(tmp_path: Path) -> None:
    for path, rule in ((written(tmp_path), "data.risk.outcome"), (tmp_path / "p.rego", None)):
        with pytest.raises(UsageError, match="--rule names the rule"):
            asked(path, rule, [])
