"""Replaying histories of Temporal by the team's own workflows: from files, or from the store."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from replay.temporal.effects import SUCCEEDED
from replay.temporal.engine import TemporalReplay
from retrospan import telemetry
from retrospan.divergences import KINDS
from retrospan.documents import Document, replay_row
from retrospan.edge import Edge
from retrospan.text import shortened, visible
from retrospan.timespan import humane
from store.errors import UsageError
from store.model import JsonValue

if TYPE_CHECKING:
    from replay.temporal.histories import RecordedHistory

SHOWN_MAX = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to run: `module` or `module:replayer`, by which interpreter, under which what-if;
    `as_new` as if each workflow had begun today."""

    module: str
    python: str
    scenario: Path | None = None
    as_new: bool = False


@telemetry.phase("replay of workflows")
def temporal_replayed(
    edge: Edge, names: Sequence[str], wanted: Wanted, show: Callable[[str], None]
) -> list[TemporalReplay]:
    """The result of every history in the files and folders, and of every flow, in their order.

    Results of flows are stored; for files alone no store is opened.
    """
    from replay.code.settings import Code
    from replay.scenario import load_scenario
    from replay.temporal.engine import replay_histories

    if not names:
        raise UsageError(
            "--temporal takes FLOW_ID... of flows loaded from histories, or HISTORY.json..., files "
            "or folders of Temporal histories"
        )
    scenario = None if wanted.scenario is None else load_scenario(wanted.scenario)
    code = Code(
        name=wanted.module,
        python=wanted.python,
        path=(str(Path.cwd()),),
        environment=dict(os.environ),
    )
    histories, stored = _histories(edge, names)
    results = replay_histories(
        histories,
        code,
        scenario=scenario,
        as_new=wanted.as_new,
        progress=lambda done, whole: show(f"replayed {done} of {whole}"),
    )
    show("")
    if stored:
        _keep(edge, [one for one in results if one.result.flow_id in stored])
    return results


def _histories(edge: Edge, names: Sequence[str]) -> "tuple[list[RecordedHistory], set[str]]":
    """Every history in the order named, and the ids of those that came out of the store."""
    from replay.temporal.histories import histories_of
    from replay.temporal.kept import stored_histories

    flow_ids = [name for name in names if not Path(name).exists()]
    stored = {}
    if flow_ids:
        with edge.reading("reading histories to replay") as session:
            stored = stored_histories(session, flow_ids)
    found: list[RecordedHistory] = []
    for name in names:
        found += [stored[name]] if name in stored else histories_of([Path(name)])
    return found, set(stored)


def _keep(edge: Edge, results: Sequence[TemporalReplay]) -> None:
    from store import write

    with edge.lease("storing replays") as session:
        write.write_replays(session, [one.result for one in results])


def temporal_row(replayed: TemporalReplay) -> Document:
    """A row of `retrospan.replay/1`."""
    return {**replay_row(replayed.result), "temporal_verdict": replayed.temporal_verdict}


def temporal_document(results: Sequence[TemporalReplay]) -> Document:
    """The document `retrospan.replay/1`."""
    return {"schema": "retrospan.replay/1", "replays": [temporal_row(one) for one in results]}


def temporal_lines(results: Sequence[TemporalReplay]) -> list[str]:
    """Each replay for a person: both verdicts, each difference with the code's own line."""
    lines: list[str] = []
    for one in results:
        result = one.result
        lines += [
            *([""] if lines else []),
            f"flow      {result.flow_id}: {result.verdict}, ends {result.outcome or 'nowhere'}",
            f"temporal  {one.temporal_verdict or 'no verdict'}",
        ]
        if result.scenario is not None:
            claim, control = result.claim or "none", result.control_verdict
            lines.append(f"scenario  {result.scenario}; claim {claim}; control {control}")
        if result.reason:
            lines.append(f"because   {result.reason}")
        if result.verdict != "unreplayable":
            lines.append(f"lasts     {humane(result.virtual_duration_ns)}")
        used = [f"{count} {rung}" for rung, count in result.answers.items() if count]
        lines += [f"answers   {', '.join(used)}"] if used else []
        lines += map(_flag, result.flags)
        for index, divergence in enumerate(result.divergences[:SHOWN_MAX]):
            head = "first     " if index == 0 else "then      "
            path = f" {divergence.path}" if divergence.path else ""
            lines.append(
                f"{head}{divergence.step_id} {KINDS[divergence.kind]}:{path} "
                f"recorded {_value(path, divergence.recorded)}, "
                f"replayed {_value(path, divergence.replayed)}"
            )
            if divergence.line:
                lines.append(f"            at {divergence.line}")
        left = len(result.divergences) - SHOWN_MAX
        if left > 0:
            lines.append(f"          and {left} more")
    return [visible(line) for line in lines]


def _flag(flag: str) -> str:
    if flag.startswith(SUCCEEDED):
        return f"succeeds  {flag.removeprefix(SUCCEEDED)}"
    return f"doubt     {flag}"


def _value(path: str, value: JsonValue) -> str:
    if path.endswith("_ns") and isinstance(value, int):
        return humane(value) if value else "none"
    if isinstance(value, dict) and set(value) == {"command"}:
        value = value["command"]
    return "nothing" if value is None else shortened(str(value))
