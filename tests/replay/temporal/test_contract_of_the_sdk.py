"""Holds what is semi-private of temporalio to the version it was written against."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("temporalio")

CHILD = Path(__file__).parents[3] / "replay" / "temporal" / "child"


def told(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", f"from retrospan_temporal import sdk\n{code}"],
        capture_output=True, text=True, check=True, env={"PYTHONPATH": str(CHILD)},
    )  # fmt: skip
    return done.stdout.strip()


def test_the_installed_sdk_is_the_one_this_was_written_against() -> None:
    assert told("print(sdk.drift())") == ""


def test_another_version_is_told_by_name() -> None:
    found = told("sdk.VERSION = '1.20'\nprint(sdk.drift())")
    assert found.endswith("commands are read as 1.20 writes them")


def test_a_command_that_nobody_here_knows_is_told_by_name() -> None:
    found = told("sdk.KNOWN_COMMANDS = sdk.KNOWN_COMMANDS[1:]\nprint(sdk.drift())")
    assert found.endswith("has commands unknown here: start_timer")


def test_a_job_that_nobody_here_knows_is_told_by_name() -> None:
    found = told("sdk.KNOWN_JOBS = sdk.KNOWN_JOBS[1:]\nprint(sdk.drift())")
    assert found.endswith("has jobs unknown here: initialize_workflow")


def test_the_ways_to_cancel_an_activity_are_all_known() -> None:
    ways = "sdk.commands.ActivityCancellationType.values()"
    assert told(f"print(sorted({ways}) == sorted(sdk.CANCELLATIONS))") == "True"


def test_an_instance_still_adds_its_commands_where_they_are_seen() -> None:
    name = "temporalio.worker._workflow_instance"
    assert told(f"import {name} as m\nprint(hasattr(m._WorkflowInstanceImpl, '_add_command'))") == (
        "True"
    )


def test_an_instance_still_keeps_the_conditions_it_waits_for() -> None:
    code = (
        "import inspect, temporalio.worker._workflow_instance as m\n"
        "print('self._conditions: list' in inspect.getsource(m._WorkflowInstanceImpl.__init__))"
    )
    assert told(code) == "True"
