"""How much of a flow was recorded, and what a replay of it can therefore show.

R4 input, bodies, draws, call settings; R3 bodies; R2 structure, latency and statuses only; R1 gaps
in the spans; R0 no root. The gaps say which attribute would raise the grade.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analyzer.conventions import BODY_TRUNCATED, EFFECT_EVENT, integer, text
from analyzer.derive.tree import Tree
from store.conclusions import Attempt, Step, StepOutcome
from store.model import AttributeValue, JsonValue, LogRecord, Span

REMOTE_KINDS = frozenset({"call", "message", "compensation"})
NAMED_MAX = 5
"""A gap names this many places, and counts the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """Replayability, and in words what was not recorded."""

    replayability: str
    gaps: Sequence[str]


def draws_of(logs: Sequence[LogRecord]) -> list[JsonValue]:
    """Recorded draws of clock, randomness and ids, in the order they were made."""
    draws = []
    for log in logs:
        if log.event_name != EFFECT_EVENT and log.attributes.get("event.name") != EFFECT_EVENT:
            continue
        index = integer(log.attributes, "index")
        draw: dict[str, JsonValue] = {
            "kind": _scalar(log.attributes.get("kind")),
            "value": _scalar(log.attributes.get("value")),
            "index": index,
            "span_id": log.span_id,
        }
        draws.append((index if index is not None else 0, log.time_ns, str(draw), draw))
    return [draw for *_, draw in sorted(draws, key=lambda it: it[:3])]


def releases_of(spans: Iterable[Span]) -> list[JsonValue]:
    """Tell which releases of which services took part: drawn from outside as any chance is."""
    seen = {(span.service, text(span.resource, "service.version")) for span in spans}
    return [
        {"kind": "release", "value": version, "index": None, "span_id": None, "service": service}
        for service, version in sorted((name, version) for name, version in seen if version)
    ]


def _scalar(value: AttributeValue) -> JsonValue:
    return value if isinstance(value, bool | int | float | str) else None


def grade_of(
    tree: Tree, steps: Sequence[Step], flow_input: JsonValue, draws: Sequence[JsonValue]
) -> Grade:
    """The grade and the gaps of one flow."""
    if tree.root is None:
        return Grade(
            replayability="R0", gaps=["no root span: how the flow began and ended is not recorded"]
        )
    torn = _torn(tree)
    remote = [step for step in steps if step.kind in REMOTE_KINDS]
    bodies = _bodies(remote, tree)
    extras = []
    if flow_input is None:
        extras.append("no input of the flow (retrospan.flow.input)")
    if not draws:
        extras.append("no draws of clock or randomness (log records retrospan.effect)")
    asking = [step for step in remote if step.kind != "message"]
    bare = sorted({step.operation for step in asking if step.max_attempts is None})
    if bare:
        extras.append(f"no call settings (retrospan.call.*) at {_some(bare)}")
    if tree.joined.unrecorded:
        count = sum(tree.joined.unrecorded.values())
        places = _some(sorted(tree.joined.unrecorded))
        extras.append(f"{count} failed attempts are known by their number alone: {places}")
    if torn:
        grade = "R1"
    elif bodies or not remote:
        grade = "R2"
    else:
        grade = "R3" if extras else "R4"
    return Grade(replayability=grade, gaps=[*torn, *bodies, *extras])


def _torn(tree: Tree) -> list[str]:
    torn = []
    lost = sorted({span.name for span in tree.orphans})
    if lost:
        torn.append(f"the parents of {len(tree.orphans)} spans are missing: {_some(lost)}")
    open_names = sorted({span.name for span in tree.unfinished})
    if open_names:
        torn.append(f"{len(tree.unfinished)} spans never ended: {_some(open_names)}")
    return torn


def _bodies(remote: Sequence[Step], tree: Tree) -> list[str]:
    unasked = {step.operation for step in remote if not all(it.has_request for it in step.attempts)}
    unanswered = {
        step.operation
        for step in remote
        for attempt in step.attempts
        if step.kind != "message" and _answered(attempt) and not attempt.has_response
    }
    gaps = []
    if unasked:
        gaps.append(f"no request bodies (http.request.body.content) at {_some(sorted(unasked))}")
    if unanswered:
        places = _some(sorted(unanswered))
        gaps.append(f"no response bodies (http.response.body.content) at {places}")
    if any(BODY_TRUNCATED in span.attributes for span in tree.spans):
        gaps.append("some bodies were cut off (retrospan.body.truncated)")
    return gaps


def _answered(attempt: Attempt) -> bool:
    return attempt.outcome is StepOutcome.OK or attempt.http_status is not None


def _some(names: Sequence[str] | Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - NAMED_MAX
    return ", ".join(listed[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
