"""Replays of recorded histories by changed workflows."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from replay.code.settings import Code
from replay.scenario import parse_scenario
from replay.temporal.engine import TemporalReplay, replay_histories
from replay.temporal.histories import RecordedHistory

if TYPE_CHECKING:
    from tests.replay.temporal.mutations import Mutation


def name_of(history: RecordedHistory) -> str:
    """The scenario of a payment, the workflow of a feature."""
    return history.workflow_id.removeprefix("payment-")


def code_in(folder: Path, name: str = "payment_saga") -> Code:
    """A module in a folder, run by this interpreter."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return Code(name=name, python=sys.executable, path=(str(folder),), environment=environment)


def replayed(
    mutation: "Mutation",
    histories: list[RecordedHistory],
    folder: Path,
    scenario: str = "",
) -> dict[str, TemporalReplay]:
    """Each history's replay by a changed workflow, under a scenario written as YAML."""
    mutation.write(folder)
    text = f"schema: retrospan.scenario/1\nname: what if\n{scenario}"
    results = replay_histories(
        histories,
        code_in(folder),
        workers=1,
        scenario=parse_scenario(text) if scenario else None,
    )
    return dict(zip(map(name_of, histories), results, strict=True))
