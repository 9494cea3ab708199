"""One small workflow for each thing that a Temporal workflow can do beside calling activities."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError, FailureError

ONCE = RetryPolicy(maximum_attempts=1)
SECONDS = timedelta(seconds=30)


@activity.defn
async def say(text: str) -> str:
    return f"said {text}"


@activity.defn
async def refuse(text: str) -> str:
    raise ApplicationError(f"refused {text}", {"why": text}, type="Refused", non_retryable=True)


@activity.defn
async def linger(seconds: float) -> str:
    try:
        for _ in range(int(seconds * 20)):
            activity.heartbeat()
            await asyncio.sleep(0.05)
    except asyncio.CancelledError:
        await asyncio.sleep(0.05)
        raise
    return "done lingering"


ACTIVITIES = [say, refuse, linger]


async def _say(text: str) -> str:
    return await workflow.execute_activity(say, text, start_to_close_timeout=SECONDS)


@workflow.defn
class Updated:
    """Collects by updates and a signal until told to end."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.ended = False

    @workflow.update
    async def keep(self, text: str) -> str:
        if text == "bad":
            raise ApplicationError("bad was given")
        said = await _say(text)
        self.kept.append(said)
        return f"{len(self.kept)} kept"

    @workflow.signal
    async def end(self) -> None:
        self.ended = True

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: self.ended and workflow.all_handlers_finished())
        return self.kept


@workflow.defn
class Local:
    """Runs activities inside the worker; one fails."""

    @workflow.run
    async def run(self) -> str:
        text = await workflow.execute_local_activity(say, "near", start_to_close_timeout=SECONDS)
        both = await asyncio.gather(
            workflow.execute_local_activity(say, "left", start_to_close_timeout=SECONDS),
            workflow.execute_local_activity(say, "right", start_to_close_timeout=SECONDS),
        )
        try:
            await workflow.execute_local_activity(
                refuse, text, start_to_close_timeout=SECONDS, retry_policy=ONCE
            )
        except FailureError as error:
            text += f" {error}"
        await workflow.sleep(0.05)
        return text + await _say("far") + "".join(both)


@workflow.defn
class Patched:
    """Had its fee patched in."""

    @workflow.run
    async def run(self) -> str:
        said = await _say("before")
        if workflow.patched("fee"):
            said += await _say("fee")
        workflow.deprecate_patch("old")
        return said


@workflow.defn
class Worker:
    """A child that ends as it is told."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    @workflow.signal
    def hear(self, text: str) -> None:
        self.heard.append(text)

    @workflow.run
    async def run(self, how: str) -> str:
        if how == "fail":
            raise ApplicationError("the child failed", type="ChildTrouble")
        await workflow.wait_condition(lambda: bool(self.heard), timeout=SECONDS)
        return f"heard {self.heard[0]}"


@workflow.defn
class Parent:
    """Starts children: one is signalled, one fails, one is cancelled; signals nobody."""

    @workflow.run
    async def run(self, other: str) -> list[str]:
        own, told = workflow.info().workflow_id, []
        first = await workflow.start_child_workflow(Worker.run, "listen", id=f"{own}-first")
        await first.signal(Worker.hear, "hello")
        told.append(await first)
        try:
            await workflow.execute_child_workflow(Worker.run, "fail", id=f"{own}-second")
        except ChildWorkflowError as error:
            told.append(f"{error.cause}")
        third = await workflow.start_child_workflow(Worker.run, "listen", id=f"{own}-third")
        third.cancel()
        try:
            await third
        except ChildWorkflowError as error:
            told.append(type(error.cause).__name__)
        try:
            await workflow.get_external_workflow_handle("nobody").signal(Worker.hear, "hello")
        except FailureError as error:
            told.append(str(error))
        await workflow.get_external_workflow_handle(other).signal("hear", "from outside")
        return told


@workflow.defn
class Cancelling:
    """Cancels activities in each way, and a timer."""

    @workflow.run
    async def run(self) -> list[str]:
        told: list[str] = []
        for way in (
            workflow.ActivityCancellationType.TRY_CANCEL,
            workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            workflow.ActivityCancellationType.ABANDON,
        ):
            handle = workflow.start_activity(
                linger, 20.0, cancellation_type=way,
                start_to_close_timeout=SECONDS, heartbeat_timeout=timedelta(seconds=5),
                retry_policy=ONCE,
            )  # fmt: skip
            await workflow.sleep(0.05)
            handle.cancel()
            try:
                told.append(await handle)
            except ActivityError as error:
                told.append(f"{way.name} {type(error.cause).__name__}")
        try:
            await workflow.wait_condition(lambda: False, timeout=timedelta(milliseconds=50))
        except TimeoutError:
            told.append("waited")
        try:
            await workflow.execute_activity(
                linger, 20.0, start_to_close_timeout=timedelta(seconds=1), retry_policy=ONCE
            )
        except ActivityError as error:
            told.append(type(error.cause).__name__)
        return told


@workflow.defn
class Continued:
    """Goes on as a new run once."""

    @workflow.run
    async def run(self, rest: int) -> str:
        said = await _say(str(rest))
        workflow.upsert_memo({"rest": rest})
        if rest:
            workflow.continue_as_new(rest - 1)
        return said


@workflow.defn
class Listening:
    """Hears signals: one with its start, two while it works."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    @workflow.signal
    async def hear(self, text: str) -> None:
        self.heard.append(await _say(text))

    @workflow.run
    async def run(self) -> list[Any]:
        await _say("begin")
        await workflow.wait_condition(lambda: len(self.heard) == 3)
        return self.heard


WORKFLOWS = [
    Updated, Local, Patched, Worker, Parent, Cancelling, Continued, Listening,
]  # fmt: skip
