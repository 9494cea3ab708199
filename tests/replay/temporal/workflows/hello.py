"""Greets by one activity; when asked to, does something else in a replay, which is the bug."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from temporalio import workflow


@dataclass
class Greeting:
    """Whom to greet, and how to misbehave."""

    name: str
    should_wait: bool = False
    should_error: bool = False
    should_cause_nondeterminism: bool = False


@workflow.defn(name="SayHelloWorkflow")
class SayHelloWorkflow:
    """Greets."""

    @workflow.run
    async def run(self, greeting: Greeting) -> str:
        if greeting.should_cause_nondeterminism and workflow.unsafe.is_replaying():
            await workflow.sleep(0.1)
        said: str = await workflow.execute_activity(
            "say_hello", greeting.name, schedule_to_close_timeout=timedelta(seconds=60)
        )
        return said
