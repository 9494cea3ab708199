"""Releases as the flows tell of them: a version that was first seen after another one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from dashboards.chart_axes import ground, ink
from dashboards.wording import clean, shortened

DRAWN_MAX = 8
LABEL_LENGTH_MAX = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The first flow of a version of a kind of flow."""

    at_ns: int
    name: str
    version: str
    flow_id: str


def releases_of(first_seen: pl.DataFrame) -> list[Release]:
    """The releases among rows of `sql/first_seen.sql`, the first one first.

    A kind's first version is none: it may be older than the data.
    """
    begins = first_seen.group_by("name").agg(pl.col("start_ns").min().alias("begins_ns"))
    later = first_seen.join(begins, on="name", maintain_order="left").filter(
        (pl.col("start_ns") > pl.col("begins_ns")) & (pl.col("version") != "")
    )
    return [
        Release(
            at_ns=row["start_ns"],
            name=row["name"],
            version=row["version"],
            flow_id=row["flow_id"],
        )
        for row in later.iter_rows(named=True)
    ]


def release_lines(
    releases: Sequence[Release], places: int, place: Callable[[int], int | None]
) -> dict[str, Any] | None:
    """Lines across a chart, each with its words; `place` tells which of the `places` of the axis a
    moment has."""
    together: dict[int, list[Release]] = {}
    for one in releases:
        at = place(one.at_ns)
        if at is not None:
            together.setdefault(at, []).append(one)
    lines = []
    for at, them in together.items():
        side = "insideEndBottom" if 2 * at < places else "insideEndTop"  # towards the middle
        lines.append({"xAxis": at, "label": {"formatter": _label(them), "position": side}})
    if not lines:
        return None
    return {
        "silent": True,
        "symbol": ["none", "triangle"],
        "symbolSize": 7,
        "data": lines[-DRAWN_MAX:],
        "label": {"color": ink(), "backgroundColor": ground(), "padding": [2, 4], "fontSize": 11},
        "lineStyle": {"color": ink(), "type": "dashed", "width": 1},
    }


def releases_told(drawn: int) -> str:
    """What the lines mean, for the line under a chart with so many releases."""
    if not drawn:
        return ""
    cut = f" (the last {DRAWN_MAX} moments with one)" if drawn > DRAWN_MAX else ""
    return f" Dashed: first flow of a release{cut}."


def _label(together: Sequence[Release]) -> str:
    named: dict[str, list[str]] = {}
    for one in together:
        named.setdefault(one.name, []).append(one.version)
    words = "; ".join(f"{name} {', '.join(versions)}" for name, versions in named.items())
    # Braces would be a template.
    return shortened(clean(words), LABEL_LENGTH_MAX).replace("{", "(").replace("}", ")")
