"""What is left of a recorded answer under the timeouts and retries that the code asks for now.

Only what the history proves: an attempt that was never made has no answer, and what came after a
timeout is not known.
"""

from dataclasses import dataclass, replace

from replay.temporal.commands import Command
from replay.temporal.recording import Call
from store.model import JsonValue

# Of Temporal's enumeration RetryState.
MAXIMUM_ATTEMPTS_REACHED = 4
TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """An answer on its way. `event` is the recorded event it repeats, 0 for one declared.

    `task` is the workflow task that got it in the recording, `latency_ns` since the task that
    issued the command. `ok` says whether it succeeded; `error` the failure's type where it is
    declared, `value` the result there. `held` waits until the code asks for cancellation.
    `lent` says that another history gave it; `note` what was assumed.
    """

    event: int
    task: int
    latency_ns: int
    ok: bool
    value: JsonValue = None
    error: str = ""
    held: bool = False
    open: bool = False
    lent: bool = False
    note: str = ""


def settled(call: Call, command: Command, end_ns: int) -> tuple[Settled | None, str]:
    """The answer of a recorded call to a command that repeats it, or None and why not."""
    answer = Settled(
        event=call.event, task=call.task, latency_ns=call.latency_ns,
        ok=call.how == "completed", value=call.value,
    )  # fmt: skip
    if not call.how:
        return replace(answer, open=True), ""
    if call.how == "canceled":
        return replace(answer, held=True), ""
    if call.command.kind != "activity":
        return answer, ""
    for judge in (_attempts, _start_to_close, _schedule_to_close):
        found, why = judge(answer, call, command)
        if why or found is not answer:
            return (None, why) if found is None else (found, "")
    return answer, ""


def _attempts(answer: Settled, call: Call, command: Command) -> tuple[Settled | None, str]:
    most, before = attempts_max(command), attempts_max(call.command)
    if most == before:
        return answer, ""
    made = call.attempt
    if most and most < made:
        if most < made - 1 or not call.raw.get("last_failure"):
            return None, f"how attempt {most} failed is not in the history, only attempt {made - 1}"
        waited = _backoff_ns(call, made - 1)
        began = int(call.raw["ended_ns"]) - call.ran_ns
        earlier = int(call.raw["ended_ns"]) - began + waited
        return replace(
            answer, event=int(call.raw["started_event"]), task=0, ok=False, value=None,
            latency_ns=max(call.latency_ns - earlier, 0),
            note=f"ended by the failure of attempt {most}, the last one now",
        ), ""  # fmt: skip
    exhausted = int(call.raw.get("retry_state", 0)) == MAXIMUM_ATTEMPTS_REACHED
    if exhausted and (not most or most > made):
        return None, f"attempt {made + 1} was never made"
    return answer, ""


def _start_to_close(answer: Settled, call: Call, command: Command) -> tuple[Settled | None, str]:
    limit, before = (_timeout(one, "start_to_close") for one in (command, call.command))
    if limit == before:
        return answer, ""
    if call.how == "timed_out":
        if limit and limit < before:
            saved = (before - limit) * call.attempt
            return replace(answer, latency_ns=max(call.latency_ns - saved, 0), task=0), ""
        return None, "what it would have answered after its timeout is not known"
    if limit and call.ran_ns > limit:
        if attempts_max(command) != call.attempt:
            return None, f"attempt {call.attempt} would time out, and the next was never made"
        return replace(
            answer, event=0, task=0, ok=False, value=None, error=TIMEOUT,
            latency_ns=call.latency_ns - call.ran_ns + limit,
            note="it would have timed out",
        ), ""  # fmt: skip
    return answer, ""


def _schedule_to_close(answer: Settled, call: Call, command: Command) -> tuple[Settled | None, str]:
    limit, before = (_timeout(one, "schedule_to_close") for one in (command, call.command))
    if limit == before or not limit:
        return answer, ""
    if call.how == "timed_out":
        return None, "what it would have answered after its timeout is not known"
    if call.latency_ns > limit:
        return replace(
            answer, event=0, task=0, ok=False, value=None, error=TIMEOUT, latency_ns=limit,
            note="it would have timed out",
        ), ""  # fmt: skip
    return answer, ""


def attempts_max(command: Command) -> int:
    """How many attempts a command allows; 0 is any number, the server's default."""
    retry = command.fields.get("retry")
    return int(retry["maximum_attempts"]) if isinstance(retry, dict) else 0


def _timeout(command: Command, name: str) -> int:
    return int(command.fields.get(f"{name}_timeout_ns", 0))


def _backoff_ns(call: Call, attempt: int) -> int:
    """The wait before the attempt after this one, as Temporal's retry policy states it."""
    retry = call.command.fields.get("retry")
    if not isinstance(retry, dict):
        return 0
    initial, grows = int(retry["initial_interval_ns"]), float(retry["backoff_coefficient"])
    return min(int(initial * grows ** (attempt - 1)), int(retry["maximum_interval_ns"]))
