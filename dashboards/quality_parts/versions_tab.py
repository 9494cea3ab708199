"""Versions met: names of semantic conventions, instrumentation, readers.

The `schema_url` that OTLP can carry is not kept in the store, so generations of the conventions are
told by the names of attributes that changed from one to the next.
"""

from typing import Any

import polars as pl
import streamlit as st

from analyzer import conventions
from dashboards import data, flow_questions
from dashboards.components.exports import exports
from dashboards.components.plain_table import plain_table
from dashboards.quality_parts.read import ends
from dashboards.scope import ENVIRONMENT_NAMES, Scope
from dashboards.wording import clean, share_text

# Names of which both spellings are read; what else stands in those lists is another attribute.
RENAMED = (
    conventions.HTTP_METHOD,
    conventions.HTTP_STATUS,
    conventions.PEER,
    conventions.DB_SYSTEM,
    conventions.DB_OPERATION,
    conventions.MESSAGING_DESTINATION,
    conventions.MESSAGE_ID,
    ENVIRONMENT_NAMES,
)


def versions_tab(scope: Scope) -> None:
    """What the records of the range were written with, and what loaded them."""
    within = ends(scope)
    present = tuple(names[0] for names in RENAMED)
    earlier = tuple(names[1] for names in RENAMED)
    with data.one_lease():
        spelt = flow_questions.of_store("spellings", **within, present=present, earlier=earlier)
        instruments = flow_questions.of_store("instruments", **within)
        loaded = flow_questions.of_store("loaded")
    st.subheader("Semantic conventions")
    st.caption(
        "Attributes that were renamed when the conventions became stable, in spans of this range; "
        "both names are read. The schema_url of resources and scopes is not kept in the store, so "
        "no version is claimed."
    )
    _table(spelling_rows(spelt), "spellings", "No attribute that was renamed is in this range.")
    st.subheader("Instrumentation")
    _table(instrument_rows(instruments), "instruments", "No span began in this range.")
    st.subheader("What was loaded")
    st.caption(
        "Over the whole store, by reader and its version. Inputs are told apart by their content. "
        "Duplicates were there already; superseded records gave way to a fuller version of the "
        "same span."
    )
    _table(loaded, "loaded", "Nothing was loaded.")


def _table(table: pl.DataFrame, name: str, none: str) -> None:
    if table.is_empty():
        st.text(none)
        return
    plain_table(table, key=f"quality_{name}", alt=f"{name}, of the records in range")
    exports(table, name)


def spelling_rows(spelt: pl.DataFrame) -> pl.DataFrame:
    """One row per renamed attribute and service, those that use earlier names most first."""
    rows = []
    for row in spelt.iter_rows(named=True):
        now, before = row["as_now"] or 0, row["as_before"] or 0
        rows.append(
            {
                "attribute": row["present"],
                "earlier": row["earlier"],
                "service": clean(row["service"]) or "(no name)",
                "names": "✔ present" if not before else "◐ earlier" if not now else "◐ both",
                "earlier only": share_text(before, now + before),
                "of spans with it (n)": now + before,
                "order": -before,
            }
        )
    table = pl.DataFrame(rows)
    return table.sort("order", "attribute", "service").drop("order") if rows else table


def instrument_rows(instruments: pl.DataFrame) -> pl.DataFrame:
    """One row per service, SDK and scope."""
    return pl.DataFrame([_instrument(row) for row in instruments.iter_rows(named=True)])


def _instrument(row: dict[str, Any]) -> dict[str, object]:
    sdk = " ".join(str(row[part]) for part in ("sdk", "language", "sdk_version") if row[part])
    return {
        "service": clean(row["service"]) or "(no name)",
        "SDK": clean(sdk) or "? not told",
        "scope": clean(row["scope"] or "") or "? not told",
        "version": clean(row["version"] or "") or "? not told",
        "spans (n)": row["spans"],
    }
