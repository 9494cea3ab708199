"""Personal data and secrets: where redaction put a token in their place. No value is shown.

The store keeps a token and where it stands. Which rule found the secret is not kept, nor what it
was; a file says it by rule before it is loaded (`retrospan redact`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl
import streamlit as st

from dashboards import configured, data, flow_questions
from dashboards.components.exports import exports
from dashboards.components.plain_table import plain_table
from dashboards.markup import notes
from dashboards.quality_parts.read import ends
from dashboards.scope import Scope
from dashboards.wording import clean, plural
from ingest.redact_check import KEY
from ingest.redact_text import SECRET, TextRedactor
from retrospan.loading import ingest_settings


def personal_tab(scope: Scope) -> None:
    """What was replaced in the range, by place; under which rules everything was loaded."""
    with data.one_lease():
        found = flow_questions.of_store("redacted", **ends(scope))
        rules = flow_questions.of_store("rules")
    settings = ingest_settings(configured.settings(), None, KEY)
    st.subheader("What redaction replaced")
    if found.is_empty():
        st.text(
            "No token stands in the records of this range: the rules found nothing, or were off. "
            "That does not say that nothing personal is in them."
        )
    else:
        st.caption(
            "Spans, events, log records and decisions of this range, and all refused records. The "
            "store keeps a token in the place of each value, equal ones for equal values, and not "
            "which rule found it: the kind is told by where the token stands. Before it is loaded, "
            "a file tells it by rule:"
        )
        st.code("retrospan redact --check FILE", language=None)
        table = place_rows(found, TextRedactor(KEY, settings.own_rules))
        plain_table(table, key="quality_redacted", alt="Redacted values by place, most first")
        exports(table, "redacted")
    st.subheader("Rules it was loaded under")
    off = replace(settings, redact=False).rules_sha256()
    told = _rules_told(rules.to_dicts(), settings.rules_sha256(), off)
    st.html(notes(told, tone="warn" if off in rules["rules"].to_list() else "neutral"))


def place_rows(found: pl.DataFrame, redactor: TextRedactor) -> pl.DataFrame:
    """One row per place, the most tokens first; `redactor` knows which names are secrets'."""
    return pl.DataFrame(
        [
            {
                "in": row["place"],
                "place": clean(str(row["name"])),
                "replaced (n)": row["found"],
                "different values (n)": row["different"],
                "kind": _kind(row, redactor.rule(str(row["name"]))[0] == SECRET),
            }
            for row in found.iter_rows(named=True)
        ]
    )


def _kind(row: Mapping[str, Any], named: bool) -> str:
    whole, found = row["whole"], row["found"]
    if not whole:
        return "within a text"
    if whole < found:
        return f"the whole value {whole:,} times, else within a text"
    return "the whole value: its name is a secret's" if named else "the whole value: by its shape"


def _rules_told(rows: Sequence[Mapping[str, Any]], now: str, off: str) -> tuple[str, ...]:
    """How much was loaded under the rules in force, with redaction off, under other rules."""
    words = {
        now: "under the rules that are in force here",
        off: "with redaction off: whatever was secret in it is stored as it was",
    }
    told: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        told.setdefault(
            words.get(row["rules"], "under other rules, own names or limits"), []
        ).append(row)
    return tuple(
        f"{plural(sum(row['inputs'] for row in some), 'input')} with "
        f"{plural(sum(row['records'] for row in some), 'record')} loaded {how}"
        for how, some in sorted(told.items())
    )
