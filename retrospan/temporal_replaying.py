"""Replaying histories of Temporal by the team's own workflows; needs no store."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from replay.temporal.engine import TemporalReplay
from retrospan import telemetry
from retrospan.divergences import KINDS
from retrospan.documents import Document, replay_row
from retrospan.text import shortened, visible
from retrospan.timespan import humane
from store.errors import UsageError
from store.model import JsonValue

SHOWN_MAX = 12


@telemetry.phase("replay of workflows")
def temporal_replayed(
    paths: Sequence[str], module: str, python: str, show: Callable[[str], None]
) -> list[TemporalReplay]:
    """The result of every history in the files and folders, in their order."""
    from replay.code.settings import Code
    from replay.temporal.engine import replay_histories
    from replay.temporal.histories import histories_of

    if not paths:
        raise UsageError("--temporal takes HISTORY.json..., files or folders of Temporal histories")
    code = Code(name=module, python=python, path=(str(Path.cwd()),), environment=dict(os.environ))
    results = replay_histories(
        list(histories_of(map(Path, paths))),
        code,
        progress=lambda done, whole: show(f"replayed {done} of {whole}"),
    )
    show("")
    return results


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
        if result.reason:
            lines.append(f"because   {result.reason}")
        lines += [f"doubt     {flag}" for flag in result.flags]
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


def _value(path: str, value: JsonValue) -> str:
    if path.endswith("_ns") and isinstance(value, int):
        return humane(value) if value else "none"
    if isinstance(value, dict) and set(value) == {"command"}:
        value = value["command"]
    return "nothing" if value is None else shortened(str(value))
