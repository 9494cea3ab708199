"""How a metric of AI governance is written: value, interval, n, unknown share; pure."""

from collections.abc import Sequence

import polars as pl

from analyzer.oversight.measure import Measure, Status
from analyzer.oversight.report import Sliced, metrics
from dashboards.estimates import percent
from dashboards.wording import clean, duration_text

STATES = {
    Status.MEASURED: "✔ measured",
    Status.INSUFFICIENT: "? too few",
    Status.UNKNOWN: "? unknown",
    Status.NOT_APPLICABLE: "– does not apply",
}


def titles() -> dict[str, str]:
    """What each metric asks, by the first part of its name."""
    return {metric.name: metric.title for metric in metrics()}


def value_text(value: float | None, unit: str) -> str:
    """A value in its unit."""
    if value is None:
        return "–"
    if unit == "share":
        return percent(value)
    if unit == "ns":
        return duration_text(round(value))
    if unit == "usd":
        return f"{value:.6f}".rstrip("0").rstrip(".") + " USD"
    return f"{value:,.0f}" if unit == "count" else f"{value:.3f}"


def bounds_text(it: Measure) -> str:
    """The interval at 95 %; a dash where there is none."""
    if it.low is None or it.high is None:
        return "–"
    return f"{value_text(it.low, it.unit)} to {value_text(it.high, it.unit)}"


def rows(found: Sequence[Sliced], names: Sequence[str] = ()) -> pl.DataFrame:
    """One row per measure whose metric is named; of all where none is."""
    chosen = [it.measure for it in found if not names or it.measure.metric.split(".")[0] in names]
    asks = titles()
    return pl.DataFrame(
        [
            {
                "metric": it.metric.replace("_", " "),
                "asks": asks.get(it.metric.split(".")[0], ""),
                "value": value_text(it.value, it.unit),
                "95 %": bounds_text(it),
                "of (n)": it.n,
                "unknown": percent(it.unknown_share),
                "state": STATES[it.status],
                "note": clean(it.note),
            }
            for it in chosen
        ]
    )


def side_by_side(found: Sequence[Sliced]) -> pl.DataFrame:
    """One row per metric, one column per slice; metrics whose names repeat in a slice are left out,
    as they compare slices themselves."""
    slices = list(dict.fromkeys(_slice(it) for it in found))
    cells: dict[str, dict[str, str]] = {}
    repeated = set()
    for it in found:
        row = cells.setdefault(it.measure.metric, {})
        if _slice(it) in row:
            repeated.add(it.measure.metric)
        row[_slice(it)] = _cell(it.measure)
    return pl.DataFrame(
        [
            {"metric": metric.replace("_", " "), **{name: row.get(name, "–") for name in slices}}
            for metric, row in cells.items()
            if metric not in repeated and any(cell[0] != "–" for cell in row.values())
        ]
    )


def _slice(it: Sliced) -> str:
    return clean(", ".join(it.filter.values())) or "all"


def _cell(it: Measure) -> str:
    if it.status is Status.NOT_APPLICABLE:
        return "–"
    if it.value is None:
        return f"? {it.n:,} known, {it.unknown:,} not"
    bounds = "" if it.low is None else f" ({bounds_text(it)})"
    doubt = "? " if it.status is not Status.MEASURED else ""
    return f"{doubt}{value_text(it.value, it.unit)}{bounds}, n {it.n:,}"
