"""The numbers of the Compensation page: cards, invariants, checks."""

from dataclasses import replace
from fractions import Fraction

import polars as pl
import streamlit as st

from analyzer.sagas.measures import SagaMeasures, Share, Times
from dashboards import links
from dashboards.check_titles import titled
from dashboards.compensation_parts.read import Undone
from dashboards.components.cards import Card, draw
from dashboards.components.exports import exports
from dashboards.components.picking_table import picking_table
from dashboards.components.plain_table import plain_table
from dashboards.estimates import percent, share_scope
from dashboards.wording import amount_text, clean, duration_text, plural

MEDIAN = Fraction(1, 2)
P95 = Fraction(95, 100)
NOT_SUCCEEDED = ["compensated", "partially_compensated", "compensation_failed", "failed"]
VERDICTS = ("violation", "suspected", "unknown", "open", "pass")


def cards(found: Undone) -> None:
    """How sagas were undone; each number with what it is of."""
    measures = found.measures
    times = measures.inconsistent
    undone = Card(
        title="Undone in full",
        value=percent(measures.compensated.value),
        scope="given up with effects: " + share_scope(measures.compensated, "flow"),
        link="Compensated" if measures.compensated.n else "",
        target={"outcome": "compensated"},
    )
    draw(
        [
            Card(
                title="Given up",
                value=percent(measures.aborts.value),
                scope=share_scope(measures.aborts, "flow"),
                link="Did not succeed" if measures.aborts.n else "",
                target={"outcome": NOT_SUCCEEDED},
            ),
            undone,
            Card(
                title="Steps undone",
                value=percent(measures.coverage.value),
                scope=share_scope(measures.coverage, "step"),
                link="Effects left" if measures.coverage.n else "",
                target={"with": "effects left standing"},
            ),
            replace(
                undone,
                title="Half undone for, median",
                value=_quantile(times, MEDIAN),
                scope=_time_scope(times),
            ),
            replace(
                undone,
                title="Half undone for, p95",
                value=_quantile(times, P95),
                scope=_time_scope(times),
            ),
        ]
    )


def _quantile(times: Times, share: Fraction) -> str:
    found = times.quantile(share)
    return "–" if found is None else duration_text(found.value_ns)


def _time_scope(times: Times) -> str:
    return (
        f"first effect to last compensation, {plural(len(times.values_ns), 'flow')}; "
        f"{times.standing:,} still standing, {times.unknown:,} unknown"
    )


def invariants(measures: SagaMeasures) -> None:
    """Money out is money back, reservations are released: per currency, never added up."""
    rows = [
        {
            "must be zero": f"money, {clean(it.currency)}",
            "left with us": amount_text(it.left, it.currency),
            "given back too often": amount_text(it.given_twice, it.currency),
            "broken in": plural(it.flows, "flow"),
            "of (n)": plural(it.n, "account"),
            "unknown": f"{it.unknown:,}",
        }
        for it in measures.money
    ]
    stock = measures.stock
    if stock.n or stock.unknown:
        rows.append(
            {
                "must be zero": "reservations and other resources",
                "left with us": f"{stock.n - stock.hits:,} resources",
                "given back too often": "not told apart",
                "broken in": f"{percent(_broken(stock))} of resources",
                "of (n)": plural(stock.n, "resource"),
                "unknown": f"{stock.unknown:,}",
            }
        )
    if not rows:
        st.text("No flow was given up after it took money or a resource, as far as was recorded.")
        return
    plain_table(pl.DataFrame(rows), key="saga_invariants", alt="What must come to zero")


def _broken(stock: Share) -> float | None:
    return None if stock.value is None else 1 - stock.value


def checks_table(measures: SagaMeasures) -> None:
    """Verdicts of every check over the flows looked at, those most violated first."""
    names = sorted(
        measures.verdicts,
        key=lambda name: (
            -measures.verdicts[name].get("violation", 0),
            -measures.verdicts[name].get("suspected", 0),
            int(name[1:]) if name[1:].isdigit() else 0,
        ),
    )
    table = pl.DataFrame(
        [
            {
                "check": titled(name),
                **{
                    _heading(verdict): measures.verdicts[name].get(verdict, 0)
                    for verdict in VERDICTS
                },
                "does not apply": measures.verdicts[name].get("not_applicable", 0),
            }
            for name in names
        ]
    )
    st.caption("Flows by verdict. Select a row to see the flows that violate the check.")
    row = picking_table(table, key="saga_checks", alt="Checks by verdict", height_max_px=540)
    if row is not None:
        links.open_flows(problem=names[row])
    exports(table, "saga-checks")


def _heading(verdict: str) -> str:
    icons = {"violation": "✖", "suspected": "◐", "unknown": "?", "open": "…", "pass": "✔"}
    return f"{icons[verdict]} {verdict}"
