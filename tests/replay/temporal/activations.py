"""Compares the activations of Temporal's core with those of the driver, on unchanged code.

`python -m tests.replay.temporal.activations FOLDER` prints how many were compared and which differ.
Of each, these are left out: what the history does not tell (the worker's deployment, how large the
history had grown at a moment of the driver's own), and when a patch is told, which the driver does
at once.
"""

import asyncio
import importlib
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

from replay.temporal.histories import RecordedHistory, histories_of
from tests.replay.temporal.recording import WORKFLOWS

ROOT = Path(__file__).parents[3]


def main(folder: Path) -> None:
    """Compare all histories of a recording."""
    logging.disable(logging.CRITICAL)
    sys.path[:0] = [
        str(ROOT / "replay/child"), str(ROOT / "replay/temporal/child"), str(WORKFLOWS),
    ]  # fmt: skip
    compared, different = 0, []
    for module, files in (
        ("payment_saga", [one for one in sorted(folder.iterdir()) if one.suffix == ".json"]),
        ("features", sorted((folder / "features").iterdir())),
    ):
        for history in histories_of(files):
            core, driver = _both(module, history)
            compared += len(core)
            if core != driver:
                different.append([history.workflow_id, *_first(core, driver)])
    print(json.dumps({"compared": compared, "different": different}))  # noqa: T201 - its output


def _both(module: str, history: RecordedHistory) -> tuple[list[str], list[str]]:
    """What the core told the code, then what the driver did."""
    names = ("sdk", "driving", "issued", "serving")
    modules: Any = [importlib.import_module(f"retrospan_temporal.{name}") for name in names]
    sdk, child, issuing, served = modules
    from replay.temporal.alterations import Alterations
    from replay.temporal.answering import Answers
    from replay.temporal.driver import Driver
    from replay.temporal.recording import recording_of

    seen: list[str] = []
    plain: Any = sdk._Recording.activate

    def activate(self: Any, act: Any) -> Any:
        if not any(job.HasField("remove_from_cache") for job in act.jobs):
            seen.append(_text(act))
        return plain(self, act)

    setattr(sdk._Recording, "activate", activate)  # noqa: B010 - of another class's method
    serving = served.Serving(module)

    async def replay() -> None:
        async def one() -> Any:
            told = {"workflow_id": history.workflow_id, "history": {"events": history.events}}
            found, refused = serving.accept(told)
            assert not refused
            yield found

        async with serving.replayer.workflow_replay_iterator(one()) as results:
            async for result in results:
                await serving.told(result)

    asyncio.run(replay())
    core, seen[:] = list(seen), []
    runner = serving._runner
    driving = child.Driving(runner.details, runner.start, serving._history.events)
    channel = _Channel()
    driving.serve(channel)
    recording = recording_of(channel.sent[0])
    instance = _instance(sdk, runner.details)
    issued = issuing.Issued(serving._history.events[0].workflow_execution_started_event_attributes)
    Driver(recording, Answers(recording, Alterations())).go(
        lambda message: json.loads(json.dumps(driving._activated(instance, issued, message)))
    )
    instance.evict("")
    setattr(sdk._Recording, "activate", plain)  # noqa: B010
    return core, list(seen)


def _instance(sdk: Any, details: Any) -> Any:
    async def created() -> Any:
        return sdk.DrivenInstance(details)

    return asyncio.run(created())


class _Channel:
    """Takes the recording, and ends the driving at once."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def send(self, message: Any) -> None:
        self.sent.append(json.loads(json.dumps(message)))

    def receive(self) -> dict[str, str]:
        return {"kind": "done"}


def _text(act: Any) -> str:
    kept = type(act)()
    kept.CopyFrom(act)
    kept.ClearField("deployment_version_for_current_task")
    kept.ClearField("last_sdk_version")
    kept.ClearField("target_worker_deployment_version_changed")
    kept.ClearField("suggest_continue_as_new_reasons")
    kept.ClearField("run_id")
    jobs = [job for job in kept.jobs if not job.HasField("notify_has_patch")]
    del kept.jobs[:]
    kept.jobs.extend(jobs)
    return str(kept)


def _first(core: list[str], driver: list[str]) -> list[str]:
    for left, right in zip(core, driver, strict=False):
        if left != right:
            return [left[:3_000], right[:3_000]]
    return [f"{len(core)} activations", f"{len(driver)} activations"]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    sys.stdout.flush()
    os._exit(0)
