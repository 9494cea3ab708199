"""An incident as a case for root-cause analysis, out of the store."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

from analyzer.incidents.changes import by_flow, near, recorded_changes
from analyzer.incidents.settings import call_settings
from analyzer.rootcause.telemetry import (
    Case,
    Change,
    Line,
    Measurement,
    RecordedCall,
    Telemetry,
    calls_of,
    template_of,
)
from store.query import ask
from store.session import Session

HERE: Final = Path(__file__).resolve().parent
SPANS_MAX: Final = 400_000
LINES_MAX: Final = 200_000
BASELINE_TIMES: Final = 5
"""The baseline is so many times the length of the incident, or what there is."""
BASELINE_NS_MIN: Final = 600_000_000_000


def around(start_ns: int, end_ns: int) -> tuple[int, int]:
    """From the beginning of an incident's baseline to as long after it as it lasted."""
    length = end_ns - start_ns
    return start_ns - max(BASELINE_TIMES * length, BASELINE_NS_MIN), end_ns + length


def case_of(
    session: Session,
    start_ns: int,
    end_ns: int,
    bad_flows: Collection[str],
    *,
    changes: Sequence[Change] = (),
    measurements: Sequence[Measurement] = (),
) -> Case:
    """What was recorded from before an incident to its end. `changes` and `measurements` come
    from files and join those that are recorded."""
    since_ns, _ = around(start_ns, end_ns)
    arms = by_flow(
        ask(session, HERE / "arms.sql", {"since_ns": since_ns, "until_ns": end_ns + 1}).to_dicts()
    )
    settings = call_settings(session, since_ns, end_ns + 1)
    for flow_id, told in settings.by_flow.items():
        arms[flow_id] = (*arms.get(flow_id, ()), *told)
    during, owners = _spans(session, start_ns, end_ns + 1, arms)
    before, _ = _spans(session, since_ns, start_ns, arms)
    recorded = recorded_changes(session, since_ns, end_ns + 1)
    lines = _lines(session, start_ns, end_ns + 1), _lines(session, since_ns, start_ns)
    cut = []
    if max(len(during), len(before)) == SPANS_MAX:
        cut.append(f"spans after the first {SPANS_MAX} of a window")
    if max(map(len, lines)) == LINES_MAX:
        cut.append(f"logs after the first {LINES_MAX} of a window")
    return Case(
        baseline=Telemetry(
            calls=calls_of(before),
            lines=lines[1],
            measurements=[m for m in measurements if since_ns <= m.at_ns < start_ns],
        ),
        incident=Telemetry(
            calls=calls_of(during),
            lines=lines[0],
            measurements=[m for m in measurements if start_ns <= m.at_ns <= end_ns],
        ),
        onset_ns=start_ns,
        changes=near([*recorded, *settings.changes, *changes], since_ns, end_ns),
        bad=frozenset(trace for trace, flow in owners.items() if flow in bad_flows),
        cut=tuple(cut),
    )


def _spans(
    session: Session,
    since_ns: int,
    until_ns: int,
    arms: Mapping[str, tuple[tuple[str, str], ...]],
) -> tuple[list[RecordedCall], dict[str, str]]:
    frame = ask(
        session,
        HERE / "spans.sql",
        {"since_ns": since_ns, "until_ns": until_ns, "spans_max": SPANS_MAX},
    )
    spans = []
    owners: dict[str, str] = {}
    for row in frame.iter_rows(named=True):
        owners[row["trace_id"]] = row["flow_id"]
        where = [("version", row["version"]), ("instance", row["instance"])]
        if not row["parent_id"]:
            where += arms.get(row["flow_id"], ())
        spans.append(
            RecordedCall(
                trace_id=row["trace_id"],
                span_id=row["span_id"],
                parent_id=row["parent_id"],
                service=row["service"],
                operation=row["operation"],
                start_ns=row["start_ns"],
                end_ns=row["end_ns"],
                failed=bool(row["failed"]),
                error=row["error"],
                outbound=bool(row["outbound"]),
                callee=row["callee"] if row["outbound"] else "",
                where=tuple((name, value) for name, value in where if value),
            )
        )
    return spans, owners


def _lines(session: Session, since_ns: int, until_ns: int) -> list[Line]:
    frame = ask(
        session,
        HERE / "lines.sql",
        {"since_ns": since_ns, "until_ns": until_ns, "lines_max": LINES_MAX},
    )
    return [
        Line(
            at_ns=row["at_ns"],
            service=row["service"],
            severity=row["severity"],
            template=template_of(row["text"]),
            trace_id=row["trace_id"],
            span_id=row["span_id"],
        )
        for row in frame.iter_rows(named=True)
    ]
