"""SLO reports and back-tests as tables."""

from typing import Any

from retrospan.listing import Column, Row, field
from retrospan.timespan import utc


def _share(name: str) -> Column:
    return Column(header=name.replace("_", " "), show=lambda row: _percent(row[name]), right=True)


def _percent(value: object) -> str | None:
    return f"{value:.2%}" if isinstance(value, float | int) else None


def _valid(row: Row) -> str:
    if row["sli"] is None and row["valid"] is None:
        return "–"
    unknown = f", {row['unknown']} unknown" if row["unknown"] else ""
    return f"{row['good']:g} of {row['valid']:g}{unknown}"


def _alerts(row: Row) -> str:
    alerts: Any = row["alerts"]
    said = [
        f"{it['severity']} {it['state']} ({it['long_window']}/{it['short_window']})"
        for it in alerts
        if it["state"] not in {"ok", "no_data"}
    ]
    return "; ".join(said) or ("no data" if row["sli"] is None else "ok")


def _worst_cause(row: Row) -> str:
    """The cause that spent most and is rarer among good flows."""
    causes: Any = row["ledger"]
    telling = [it for it in causes if (it["share_of_good"] or 0) < it["spent"]]
    if not telling:
        return str(row["reason"] or "–")
    top = max(telling, key=lambda it: (it["spent"] - (it["share_of_good"] or 0), it["cause"]))
    return f"{top['dimension']} {top['cause']}: {top['spent']:.0%} of what was spent"


def _time(value: Any) -> str | None:
    return None if value is None else utc(value)


def _seconds(value: Any) -> str:
    return f"{value / 1e9:.1f} s"


REPORT_COLUMNS = (
    field("slo", "name"),
    field("objective", "objective"),
    _share("target"),
    _share("sli"),
    Column(header="good of valid", show=_valid, right=True),
    _share("coverage"),
    _share("budget_remaining"),
    Column(header="alerts", show=_alerts),
    Column(header="most telling cause", show=_worst_cause),
)
REPORT_CELLS = (
    "name", "service", "objective", "target", "sli", "sli_low", "sli_high", "good", "valid",
    "flows", "unknown", "open", "coverage", "budget_remaining", "minutes_to_exhaustion", "reason",
)  # fmt: skip
LEDGER_CELLS = (
    "slo", "objective", "dimension", "cause", "bad_flows", "spent", "share_of_good",
    "budget_remaining_without", "flow_ids",
)  # fmt: skip
LEDGER_COLUMNS = (
    field("slo", "slo"),
    field("by", "dimension"),
    field("cause", "cause"),
    field("bad flows (n)", "bad_flows", right=True),
    _share("spent"),
    _share("share_of_good"),
    _share("budget_remaining_without"),
)


HISTORY_COLUMNS = (
    field("slo", "name"),
    field("severity", "severity"),
    Column(header="windows", show=lambda row: f"{row['long_window']}/{row['short_window']}"),
    field("threshold", "threshold", right=True),
    Column(header="fired", show=lambda row: _time(row["fired_ns"])),
    Column(header="resolved", show=lambda row: _time(row["resolved_ns"])),
    Column(header="after first bad", show=lambda row: _seconds(row["delay_ns"]), right=True),
    field("bad before (n)", "bad_before", right=True),
    _share("budget_spent"),
)
HISTORY_CELLS = (
    "name", "objective", "severity", "threshold", "long_window", "short_window", "fired_ns",
    "resolved_ns", "first_bad_ns", "delay_ns", "bad_before", "budget_spent", "runbook",
)  # fmt: skip
