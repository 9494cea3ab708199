"""Names for each difference the line of code whose call it is about, where its span says so.

OpenTelemetry's code attributes, `code.file.path` with `code.line.number` and
`code.function.name`, and the names they had before (`code.filepath`, `code.lineno`,
`code.function`).
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from store.conclusions import ReplayResult
from store.lease import Session
from store.query import ask

_QUESTION = Path(__file__).with_name("lines.sql")


def with_lines(session: Session, results: Sequence[ReplayResult]) -> list[ReplayResult]:
    """Give the results with the lines filled in that are known and not filled in yet."""
    wanted = sorted({result.flow_id for result in results if result.divergences})
    if not wanted:
        return list(results)
    lines: dict[tuple[str, str], str] = {}
    for flow_id, step_id, file, line, function in ask(
        session, _QUESTION, {"flow_ids": wanted}
    ).iter_rows():
        place = file if line is None else f"{file}:{line}"
        lines.setdefault((flow_id, step_id), f"{place} in {function}" if function else place)
    return [_named(result, lines) for result in results] if lines else list(results)


def _named(result: ReplayResult, lines: dict[tuple[str, str], str]) -> ReplayResult:
    return replace(
        result,
        divergences=tuple(
            replace(one, line=one.line or lines.get((result.flow_id, one.step_id), ""))
            for one in result.divergences
        ),
    )
