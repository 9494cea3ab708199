"""Payments of a real Temporal server, recorded on loopback: verified, replayed, changed."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from replay.temporal.engine import replay_histories
from replay.temporal.histories import RecordedHistory, histories_of
from store.errors import DataError, UsageError
from tests.third_party import corpora_folder, needs

if importlib.util.find_spec("temporalio") is None:  # the extra is part of dev
    needs("temporalio", installed=False)

from tests.replay.temporal.mutations import MUTATIONS, UNCHANGED, Mutation
from tests.replay.temporal.recording import SCENARIOS, WORKFLOWS
from tests.replay.temporal.replaying import code_in, name_of, replayed

ROOT = Path(__file__).parents[3]
CHOSEN = ("activity arguments", "timer", "two activities swapped", "sequential made parallel")


def payments(recorded: Path) -> list[str]:
    """The files of the payments: histories, then spans."""
    return [str(one) for one in sorted(recorded.iterdir()) if one.is_file()]


def retrospan(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "retrospan", "--db", str(folder / "x.duckdb"), *words]
    return subprocess.run(
        command, cwd=WORKFLOWS, capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def test_unchanged_code_is_compatible_and_identical_and_has_one_digest(
    histories: list[RecordedHistory], tmp_path: Path
) -> None:
    first = replayed(UNCHANGED, histories, tmp_path)
    told = {(one.temporal_verdict, one.result.verdict) for one in first.values()}
    assert told == {("compatible", "identical")}
    assert all(one.result.flags == () for one in first.values())
    again = replay_histories(histories[::-1], code_in(tmp_path), workers=2)
    assert [one.result for one in again[::-1]] == [one.result for one in first.values()]


@pytest.mark.parametrize("name", CHOSEN)
def test_a_change_is_found_where_it_makes_a_difference_and_nowhere_else(
    name: str, histories: list[RecordedHistory], tmp_path: Path
) -> None:
    (mutation,) = [one for one in MUTATIONS if one.name == name]
    results = replayed(mutation, histories, tmp_path)
    found = {name for name, one in results.items() if one.result.verdict == "diverged"}
    assert found == mutation.differs
    accused = {name for name, one in results.items() if one.temporal_verdict == "incompatible"}
    assert accused <= mutation.differs


def test_a_doubled_amount_is_named_with_the_line_that_sends_it(
    histories: list[RecordedHistory], tmp_path: Path
) -> None:
    doubled = Mutation(
        name="doubled", differs=frozenset(), old="_do(score_risk, order)",
        new="_do(score_risk, Order(order.order_id, order.amount * 2, patience=order.patience))",
    )  # fmt: skip
    one = replayed(doubled, histories, tmp_path)["ok"]
    divergence, lowered = one.result.divergences
    assert one.temporal_verdict == "compatible"
    assert (divergence.kind, divergence.path) == ("args_changed", "arguments[0].amount")
    assert (divergence.recorded, divergence.replayed) == (120, 240)
    # The recorded answer was given to another request: it is taken, and told.
    assert (lowered.kind, lowered.replayed) == ("answer_rung_lowered", "structural")
    line = (tmp_path / "payment_saga.py").read_text().splitlines().index(
        "            risk = " + "await _do(score_risk, Order(order.order_id, order.amount * 2, "
        "patience=order.patience))"
    )  # fmt: skip
    assert f"payment_saga.py:{line + 1}" in divergence.line


def test_a_history_that_its_own_code_does_not_fit_names_the_reason(
    histories: list[RecordedHistory], tmp_path: Path
) -> None:
    swapped = next(one for one in MUTATIONS if one.name == "two activities swapped")
    one = replayed(swapped, histories, tmp_path)["ok"]
    assert one.result.reason.startswith("Temporal: [TMPRL1100] Nondeterminism error: Activity type")
    # Temporal stops at its first event; the driver goes on to the end, on recorded answers.
    assert (one.result.outcome, one.result.answers["exact"]) == ("succeeded", 6)


def test_code_that_raises_is_told_with_its_exception(
    histories: list[RecordedHistory], tmp_path: Path
) -> None:
    broken = Mutation(name="broken", differs=frozenset(), old='risk["confidence"] < 0.6',
                      new='risk["certainty"] < 0.6')  # fmt: skip
    one = replayed(broken, histories, tmp_path)["ok"]
    assert one.temporal_verdict == "incompatible"
    assert one.result.verdict == "diverged"
    assert "certainty" in str(one.result.divergences[0].replayed)


def test_code_that_ends_the_process_costs_only_its_own_history(
    histories: list[RecordedHistory], tmp_path: Path
) -> None:
    gone = Mutation(
        name="gone", differs=frozenset(), old="        key = str(workflow.uuid4())\n",
        new="        key = str(workflow.uuid4())\n"
            '        __import__("os")._exit(3) if order.amount == 3 else None\n',
    )  # fmt: skip
    results = replayed(gone, histories, tmp_path)
    verdicts = {name: one.result.verdict for name, one in results.items()}
    assert verdicts.pop("small") == "unreplayable"
    assert set(verdicts.values()) == {"identical"}


def test_the_network_is_closed_to_replayed_code(
    histories: list[RecordedHistory], tmp_path: Path
) -> None:
    calls = Mutation(
        name="calls", differs=frozenset(), old="        key = str(workflow.uuid4())\n",
        new="        key = str(workflow.uuid4())\n"
            '        __import__("socket").create_connection(("127.0.0.1", 9))\n',
    )  # fmt: skip
    one = replayed(calls, histories[:1], tmp_path)[name_of(histories[0])]
    assert one.result.verdict == "diverged"
    assert "is blocked" in str(one.result.divergences[0].replayed)


def test_a_replayer_of_the_teams_own_is_taken(
    histories: list[RecordedHistory], tmp_path: Path
) -> None:
    UNCHANGED.write(tmp_path)
    (tmp_path / "replaying.py").write_text(
        "from temporalio.worker import Replayer\n"
        "from payment_saga import PaymentSaga\n"
        "replayer = Replayer(workflows=[PaymentSaga])\n"
        "other = 1\n"
    )
    (one,) = replay_histories(histories[:1], code_in(tmp_path, "replaying:replayer"))
    assert one.result.verdict == "identical"
    with pytest.raises(UsageError, match=r"is no temporalio\.worker\.Replayer"):
        replay_histories(histories[:1], code_in(tmp_path, "replaying:other"))


def test_what_cannot_be_run_is_refused_byname_of(
    histories: list[RecordedHistory], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="No module named 'nosuch'"):
        replay_histories(histories[:1], code_in(tmp_path, "nosuch"))
    (tmp_path / "empty.py").write_text("")
    with pytest.raises(UsageError, match=r"no class with @workflow\.defn"):
        replay_histories(histories[:1], code_in(tmp_path, "empty"))
    (tmp_path / "temporalio.py").write_text("raise ImportError\n")
    with pytest.raises(UsageError, match="has no temporalio"):
        replay_histories(histories[:1], code_in(tmp_path))
    (tmp_path / "not.json").write_text("{}")
    with pytest.raises(DataError, match="no history"):
        list(histories_of([tmp_path / "not.json"]))


def test_a_workflow_that_the_code_has_not_is_unreplayable(
    histories: list[RecordedHistory],
) -> None:
    (one,) = replay_histories(histories[:1], code_in(WORKFLOWS, "hello"))
    assert (one.temporal_verdict, one.result.verdict) == (None, "unreplayable")
    assert "no workflow PaymentSaga in the code; it has SayHelloWorkflow" in one.result.reason


def test_history_and_spans_become_one_flow_whose_saga_is_verified(
    recorded: Path, tmp_path: Path
) -> None:
    assert retrospan("ingest", *payments(recorded), folder=tmp_path).returncode == 0
    listed = json.loads(retrospan("flows", "list", "--json", folder=tmp_path).stdout)["flows"]
    flows = {flow["flow_id"].split("/")[0].removeprefix("wf:payment-"): flow for flow in listed}
    assert set(flows) == set(SCENARIOS)
    # The two attempts that failed are in the spans only.
    assert flows["retried"]["attempt_count"] - flows["ok"]["attempt_count"] == 2
    outcomes = {name: flow["outcome"] for name, flow in flows.items()}
    assert outcomes["ok"] == outcomes["retried"] == outcomes["approved"] == "succeeded"
    assert outcomes["ship_failed"] == outcomes["declined"] == "compensated"
    sagas: dict[str, Any] = {
        saga["flow_id"].split("/")[0].removeprefix("wf:payment-"): saga
        for saga in json.loads(retrospan("sagas", "list", "--json", folder=tmp_path).stdout)[
            "sagas"
        ]
    }
    assert sagas["ok"]["verdict"] == sagas["approved"]["verdict"] == "pass"
    # The workflow forgets to give the stock back where a human refuses.
    assert sagas["refused"]["verdict"] != "pass"
    assert len(sagas["refused"]["residual_effects"]) == 1


def test_the_command_prints_both_verdicts_and_keeps_to_the_contract(
    recorded: Path, tmp_path: Path
) -> None:
    words = ["replay", "run", "--temporal", "payment_saga", "--python", sys.executable]
    said = retrospan(*words, *payments(recorded)[:-1], "--json", folder=tmp_path)
    assert said.returncode == 0, said.stderr
    rows = json.loads(said.stdout)["replays"]
    assert {(row["mode"], row["temporal_verdict"], row["verdict"]) for row in rows} == {
        ("temporal", "compatible", "identical")
    }
    assert retrospan(*words, folder=tmp_path).returncode == 2
    assert not (tmp_path / "x.duckdb").exists()


@pytest.mark.corpora
def test_the_history_made_to_be_nondeterministic_is_caught_and_its_twin_is_not() -> None:
    folder = corpora_folder() / "workflows/temporalio+sdk-python/tests/worker"
    names = ("nondeterministic_history", "complete_history")
    histories = list(histories_of([folder / f"test_replayer_{name}.json" for name in names]))
    caught, clean = replay_histories(histories, code_in(WORKFLOWS, "hello"), workers=1)
    assert (caught.temporal_verdict, caught.result.verdict) == ("incompatible", "diverged")
    assert "timer" in caught.result.divergences[0].step_id
    assert (clean.temporal_verdict, clean.result.verdict) == ("compatible", "identical")


# The code of these stands in the SDK's own tests, which are not part of the corpora.
WITHOUT_CODE = {
    "command_reordering_backward_compatibility": "UpdateCompletionAfterWorkflowReturn",
    "event_tracing": "SignalsActivitiesTimersUpdatesTracingWorkflow",
    "event_tracing_alternate": "ActivityAndSignalsWhileWorkflowDown",
    "event_tracing_double_sig_at_start": "SignalsActivitiesTimersUpdatesTracingWorkflow",
    "event_tracing_double_sig_at_start_single_batch":
        "SignalsActivitiesTimersUpdatesTracingWorkflow",
    "event_tracing_single_batch": "SignalsActivitiesTimersUpdatesTracingWorkflow",
    "swallowed_activity_cancellation": "QuickActivityWorkflow",
}  # fmt: skip


@pytest.mark.corpora
def test_histories_of_the_sdk_whose_code_is_not_there_are_read_and_named() -> None:
    folder = corpora_folder() / "workflows/temporalio+sdk-python/tests/worker"
    files = sorted(folder.glob("test_replayer_*.json"))
    names = [one.stem.removeprefix("test_replayer_").removesuffix("_history") for one in files]
    histories = list(histories_of(files))
    results = replay_histories(histories, code_in(WORKFLOWS, "hello"))
    told = {
        name: one.result.reason.partition(": ")[2]
        for name, one in zip(names, results, strict=True)
        if one.result.verdict == "unreplayable"
    }
    assert told == {
        name: f"no workflow {kind} in the code; it has SayHelloWorkflow"
        for name, kind in WITHOUT_CODE.items()
    }
    assert len(files) == len(WITHOUT_CODE) + 2
