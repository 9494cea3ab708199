"""`expected.toml`: how the truth about a recording is written down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from sample_traces.services.system import Recording

HEADER = """\
# Computed from the fault plan and the services' own books, never from the telemetry.
# Written by the sample's own expected.py at the end of a recording; do not edit.
"""
IDS_PER_LINE = 5

Value = str | int | bool | list[str]


def scalar(value: str | int | bool) -> str:
    """One TOML value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)


def table(header: str, fields: Mapping[str, Value]) -> str:
    """One TOML table; lists of ids go over several lines."""
    lines = [header] if header else []
    for name, value in fields.items():
        if not isinstance(value, list):
            lines.append(f"{name} = {scalar(value)}")
            continue
        lines.append(f"{name} = [")
        for start in range(0, len(value), IDS_PER_LINE):
            lines.append("    " + " ".join(f'"{v}",' for v in value[start : start + IDS_PER_LINE]))
        lines.append("]")
    return "\n".join(lines) + "\n"


def counts(words: Iterable[str]) -> dict[str, Value]:
    """How often each word is there."""
    return dict(sorted(Counter(words).items()))


def head(recording: Recording, flows: int) -> str:
    """The document's first lines."""
    fields: dict[str, Value] = {
        "schema": "retrospan.expected/1",
        "sample": recording.plan.name,
        "seed": recording.plan.seed,
        "flows": flows,
        "start_ns": min(recording.submitted_ns.values()),
        "end_ns": max(recording.ended_ns.values()),
    }
    return HEADER + table("", fields)


def phases(recording: Recording) -> list[str]:
    """The named stretches of the story."""
    parts = []
    for phase in recording.plan.phases:
        span = range(phase.first, phase.last + 1)
        fields: dict[str, Value] = {
            "name": phase.name,
            "start_ns": min(recording.submitted_ns[index] for index in span),
            "end_ns": max(recording.ended_ns[index] for index in span),
            "flows": len(span),
        }
        parts.append(table("[[phases]]", fields))
    return parts


def incident(recording: Recording) -> dict[str, Value]:
    """Begin, mitigation and end of the incident; empty if the plan has none."""
    plan = recording.plan
    if plan.incident is None:
        return {}
    first, mitigated, recovered = plan.incident
    return {
        "start_ns": recording.submitted_ns[first],
        "mitigated_ns": recording.submitted_ns[mitigated],
        "end_ns": recording.submitted_ns[recovered],
    }


def finding(name: str, finder: str, flows: Sequence[str]) -> str:
    """The flows that one finder must find."""
    fields: dict[str, Value] = {
        "name": name,
        "finder": finder,
        "count": len(flows),
        "flows": list(flows),
    }
    return table("[[findings]]", fields)


def lists(named: Mapping[str, Sequence[str]]) -> str:
    """Other flows worth naming."""
    return table("[lists]", {name: list(flows) for name, flows in named.items()})


def outcome_flows(outcome: str, flows: Sequence[str]) -> str:
    """The flows that ended this way."""
    return table("[[outcome_flows]]", {"outcome": outcome, "flows": list(flows)})
