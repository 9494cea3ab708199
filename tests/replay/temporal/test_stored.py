"""Payments loaded from a real server's histories and spans: verified, replayed by id, changed."""

import base64
import io
import json
import sys
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from retrospan.cli import run

pytest.importorskip("temporalio")

from tests.replay.temporal.mutations import MUTATIONS
from tests.replay.temporal.recording import SCENARIOS, WORKFLOWS

# How each payment ended, and what of it is left standing outside.
OUTCOMES = {
    "ok": ("succeeded", []),
    "retried": ("succeeded", []),
    "declined": ("compensated", []),
    "refund_failed": ("compensation_failed", ["reserve_stock", "charge_card"]),
    "approved": ("succeeded", []),
}


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No command here reads the user's own configuration, store or key."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        for name in ("RETROSPAN_DB", "RETROSPAN_CONFIG", "RETROSPAN_REDACTION_KEY"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="module")
def store(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with histories and spans of the payments."""
    path = tmp_path_factory.mktemp("stored") / "x.duckdb"
    files = [str(one) for one in sorted(recorded.iterdir()) if one.is_file()]
    assert retrospan(path, WORKFLOWS, "ingest", *files).returncode == 0
    return path


class Said(NamedTuple):
    """What a command said, and how it ended."""

    returncode: int
    stdout: str
    stderr: str


def retrospan(store: Path, folder: Path, *words: str) -> Said:
    """Run one command line in this process, in a folder."""
    out, told = io.StringIO(), io.StringIO()
    with chdir(folder), redirect_stdout(out), redirect_stderr(told):
        code = run(["--db", str(store), *words])
    return Said(code, out.getvalue(), told.getvalue())


def flows(store: Path) -> dict[str, Any]:
    listed = json.loads(retrospan(store, WORKFLOWS, "flows", "list", "--json").stdout)["flows"]
    return {flow["flow_id"].split("/")[0].removeprefix("wf:payment-"): flow for flow in listed}


def replayed(store: Path, folder: Path, *words: str) -> tuple[int, list[dict[str, Any]]]:
    done = retrospan(
        store, folder, "replay", "run", *words, "--json",
        "--temporal", "payment_saga", "--python", sys.executable,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)["replays"]


def test_each_outcome_is_recorded_verified_and_replayed_by_its_flow(store: Path) -> None:
    found = flows(store)
    assert set(found) == set(SCENARIOS)
    sagas = {
        saga["flow_id"]: [effect["step"] for effect in saga["residual_effects"]]
        for saga in json.loads(retrospan(store, WORKFLOWS, "sagas", "list", "--json").stdout)[
            "sagas"
        ]
    }
    told = {name: (found[name]["outcome"], sagas[found[name]["flow_id"]]) for name in OUTCOMES}
    assert told == OUTCOMES
    code, rows = replayed(store, WORKFLOWS, *(found[name]["flow_id"] for name in OUTCOMES))
    assert code == 0
    assert {(row["temporal_verdict"], row["verdict"]) for row in rows} == {
        ("compatible", "identical")
    }


def test_changed_code_is_driven_to_its_end_by_flow(store: Path, tmp_path: Path) -> None:
    (swapped,) = [one for one in MUTATIONS if one.name == "two activities swapped"]
    swapped.write(tmp_path)
    found = flows(store)
    code, rows = replayed(store, tmp_path, *(found[name]["flow_id"] for name in OUTCOMES))
    assert code == 3
    assert {(row["temporal_verdict"], row["verdict"]) for row in rows} == {
        ("incompatible", "diverged")
    }
    ends = dict(zip(OUTCOMES, (row["outcome"] for row in rows), strict=True))
    assert ends == {
        "ok": "succeeded", "retried": "succeeded", "declined": "failed",
        "refund_failed": "failed", "approved": "succeeded",
    }  # fmt: skip
    assert all(row["answers"]["exact"] >= 4 and not row["answers"]["missing"] for row in rows)


def test_a_scenario_runs_after_its_control(store: Path, tmp_path: Path) -> None:
    file = tmp_path / "what-if.yaml"
    file.write_text(
        "schema: retrospan.scenario/1\nname: the carrier is gone\n"
        "answers: [{operation: payments ship, status: CarrierRefused}]\n"
    )
    found = flows(store)
    ids = [found[name]["flow_id"] for name in ("ok", "ship_failed")]
    code, rows = replayed(store, WORKFLOWS, *ids, "--scenario", str(file))
    assert code == 0
    assert [row["control"]["verdict"] for row in rows] == ["identical", "identical"]
    assert [(row["outcome"], row["claim"]) for row in rows] == [("failed", "C3"), ("failed", "C1")]
    explained = retrospan(
        store, WORKFLOWS, "replay", "run", ids[0], "--scenario", str(file), "--explain",
        "--temporal", "payment_saga", "--python", sys.executable,
    ).stdout.splitlines()  # fmt: skip
    assert "scenario  the carrier is gone; claim none; control identical" in explained
    # Alone it has nobody to lend it a refund.
    assert any("payments refund: nothing recorded answers it" in line for line in explained)


def test_a_flow_loaded_from_spans_alone_has_no_history(recorded: Path, tmp_path: Path) -> None:
    store = tmp_path / "x.duckdb"
    retrospan(store, WORKFLOWS, "ingest", str(recorded / "spans.otlp.pb"))
    (flow_id, *_) = [flow["flow_id"] for flow in flows(store).values()]
    done = retrospan(store, WORKFLOWS, "replay", "run", flow_id, "--temporal", "payment_saga")
    assert done.returncode == 4
    assert "it was loaded from spans alone; ingest its history, or name the file" in done.stderr


def test_redacted_values_are_told_of_and_the_verdict_is_lowered(
    recorded: Path, tmp_path: Path
) -> None:
    text = (recorded / "history_ok.json").read_text()
    history = json.loads(text)
    started = history["events"][0]["workflowExecutionStartedEventAttributes"]
    started["memo"] = {
        "fields": {
            "paid": {"metadata": {"encoding": "anNvbi9wbGFpbg=="},
                     "data": base64.b64encode(b'{"card": "4111111111111111"}').decode()},
        }
    }  # fmt: skip
    path = tmp_path / "history.json"
    path.write_text(json.dumps(history))
    store = tmp_path / "x.duckdb"
    retrospan(store, WORKFLOWS, "ingest", str(path))
    ((_, flow),) = flows(store).items()
    _, (row,) = replayed(store, WORKFLOWS, flow["flow_id"])
    assert row["verdict"] == "equivalent"
    assert row["flags"][0] == (
        "1 values of the kept history are redacted: the code saw tokens instead"
    )
    _, (file,) = replayed(store, WORKFLOWS, str(path))
    assert (file["verdict"], file["flags"]) == ("identical", [])
