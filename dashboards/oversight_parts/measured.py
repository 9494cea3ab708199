"""How a metric of AI governance is written: value, interval, n, unknown share; pure."""

from collections.abc import Mapping, Sequence

import polars as pl

from analyzer.oversight.measure import Measure, Status
from analyzer.oversight.report import Sliced, metrics
from dashboards.estimates import percent
from dashboards.wording import clean, duration_text

MOVED_P = 0.05
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
    if it.low is None:
        return "–"
    if it.counted and it.low == it.high:
        return "exact"
    if it.high is None:
        return f"at least {value_text(it.low, it.unit)}"
    return f"{value_text(it.low, it.unit)} to {value_text(it.high, it.unit)}"


def metric_words(name: str) -> str:
    """`gate coverage: after action` for `gate_coverage.after_action`."""
    whole, _, part = name.replace("_", " ").partition(".")
    return f"{whole}: {part}" if part else whole


def rows(found: Sequence[Measure]) -> pl.DataFrame:
    """One row per measure; the first of a metric says in its note what the metric asks."""
    asks = titles()
    firsts = {it.metric.split(".")[0]: it for it in reversed(found)}
    return pl.DataFrame(
        [
            {
                "metric": metric_words(it.metric),
                "value": value_text(it.value, it.unit),
                "95 %": bounds_text(it),
                "of (n)": it.n,
                "unknown": percent(it.unknown_share),
                "state": STATES[it.status],
                "note": clean(_note(it, asks if firsts[it.metric.split(".")[0]] is it else {})),
            }
            for it in found
        ]
    )


def _note(it: Measure, asks: Mapping[str, str]) -> str:
    asked = asks.get(it.metric.split(".")[0], "")
    return "; ".join(text for text in (asked, it.note) if text)


def drift_rows(found: Sequence[tuple[str, Measure]]) -> pl.DataFrame:
    """One row per comparison of a model with itself, the surest movement first."""
    told = [(name, it, it.detail.get("p_value")) for name, it in found]
    ordered = sorted(told, key=lambda one: one[2] if isinstance(one[2], float) else 2.0)
    return pl.DataFrame(
        [
            {
                "": "◆ moved" if isinstance(p, float) and p < MOVED_P else "",
                "model": clean(name),
                "what": metric_words(it.metric).removeprefix("drift: "),
                "compared": clean(str(it.detail.get("compared", it.note.partition(":")[0]))),
                "distance": value_text(it.value, it.unit),
                "95 %, without chance": bounds_text(it),
                "measure": str(it.detail.get("measure", "–")),
                "p": f"{p:.3f}" if isinstance(p, float) else "–",
                "of (n)": it.n,
                "unknown": percent(it.unknown_share),
                "state": STATES[it.status],
            }
            for name, it, p in ordered
        ]
    )


def incomplete(found: Sequence[Measure]) -> tuple[list[Measure], list[str]]:
    """Those to read, and the words of parts that hold of every decision, which need no row."""
    whole = [it for it in found if "." in it.metric and it.unit == "share" and it.value == 1]
    return [it for it in found if it not in whole], [metric_words(it.metric) for it in whole]


def side_by_side(found: Sequence[Sliced]) -> pl.DataFrame:
    """One row per metric, one column per slice, those that surely differ first; metrics whose names
    repeat in a slice are left out, as they compare slices themselves.

    Of models and policies only versions of the same one are held against each other: two models
    answer other questions.
    """
    slices = list(dict.fromkeys(_slice(it) for it in found))
    cells: dict[str, dict[str, str]] = {}
    measured: dict[str, dict[str, list[Measure]]] = {}
    repeated = set()
    for it in found:
        row = cells.setdefault(it.measure.metric, {})
        if _slice(it) in row:
            repeated.add(it.measure.metric)
        row[_slice(it)] = _cell(it.measure)
        versions = measured.setdefault(it.measure.metric, {})
        versions.setdefault(_slice(it).rpartition("@")[0], []).append(it.measure)
    told = [
        metric
        for metric, row in cells.items()
        if metric not in repeated and any(cell[0] != "–" for cell in row.values())
    ]
    apart = {metric: any(map(_apart, measured[metric].values())) for metric in told}
    marks = any(apart.values())
    return pl.DataFrame(
        [
            {
                **({"": "◆ differ" if apart[metric] else ""} if marks else {}),
                "metric": metric_words(metric),
                **{name: cells[metric].get(name, "–") for name in slices},
            }
            for metric in sorted(told, key=lambda metric: not apart[metric])
        ]
    )


def _apart(found: Sequence[Measure]) -> bool:
    """Whether two of them are estimates with intervals at 95 % that do not overlap."""
    bounds = [(it.low, it.high) for it in found if it.status is Status.MEASURED and not it.counted]
    known = [(low, high) for low, high in bounds if low is not None and high is not None]
    return bool(known) and max(low for low, _ in known) > min(high for _, high in known)


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
