"""How flows made their calls, as settings that may differ between bad flows and good ones.

In: the stored steps and attempts. Out: each setting by flow, and each change of one. A setting is a
timeout, a number of attempts, a first wait, or whether a repeated call kept its idempotency key.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from analyzer.rootcause.telemetry import Change
from store.query import ask
from store.session import Session

QUESTION: Final = Path(__file__).resolve().parent / "settings.sql"
KIND: Final = "setting"
VALUES_MAX: Final = 5
"""What has more values is reckoned anew for each call, such as what is left of a deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSettings:
    """`by_flow` gives the attributes and values of each flow, `changes` each value that came after
    another one, when it first came."""

    by_flow: Mapping[str, tuple[tuple[str, str], ...]]
    changes: tuple[Change, ...]


def call_settings(session: Session, since_ns: int, until_ns: int) -> CallSettings:
    """The settings of flows that began in [since, until)."""
    by_flow: dict[str, list[tuple[str, str]]] = {}
    first: dict[str, dict[str, int]] = {}
    rows = ask(session, QUESTION, {"since_ns": since_ns, "until_ns": until_ns}).to_dicts()
    for row in rows:
        first.setdefault(row["subject"], {}).setdefault(row["value"], row["start_ns"])
    fixed = {subject for subject, values in first.items() if len(values) <= VALUES_MAX}
    for row in rows:
        if row["subject"] in fixed:
            told = (f"{KIND} {row['subject']}", row["value"])
            by_flow.setdefault(row["flow_id"], []).append(told)
    return CallSettings(
        by_flow={flow_id: tuple(told) for flow_id, told in sorted(by_flow.items())},
        changes=tuple(
            change for subject in sorted(fixed) for change in _changes(subject, first[subject])
        ),
    )


def _changes(subject: str, values: Mapping[str, int]) -> Iterator[Change]:
    ordered = sorted((at_ns, value) for value, at_ns in values.items())
    for at_ns, value in ordered[1:]:
        yield Change(
            at_ns=at_ns,
            kind=KIND,
            service=subject,
            name=value,
            text=f"{KIND} {subject} {value} first seen",
        )
