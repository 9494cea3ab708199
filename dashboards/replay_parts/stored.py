"""What the store holds of a flow's replays: by its trace, by the team's own code, by Temporal."""

from collections.abc import Sequence

import polars as pl
import streamlit as st

from dashboards import links
from dashboards.components.exports import exports
from dashboards.components.plain_table import plain_table
from dashboards.flow_page import replays_of
from dashboards.markup import notes, worded
from dashboards.wording import clean, duration_text, plural, shortened
from retrospan.divergences import KINDS
from store.conclusions import ReplayResult

MODES = {
    "trace": "its trace, by a program learnt from other flows",
    "code": "the team's own code",
    "temporal": "Temporal's replayer",
}
REASON_LENGTH_MAX = 200


def stored_part(flow_id: str) -> None:
    """One row per stored replay, the modes side by side; how to make one by code."""
    found = ordered(replays_of(flow_id))
    modes = list(dict.fromkeys(one.mode for one in found))
    title = f"Stored replays ({len(found):,})"
    with st.expander(title, expanded="code" in modes or "temporal" in modes):
        if not found:
            st.text("None is stored of this flow. The command stores what it replays:")
        else:
            table = pl.DataFrame([_row(one) for one in found])
            plain_table(table, key="stored_replays", alt="Stored replays of this flow")
            exports(table, "stored-replays")
            st.html(notes(agreement(found)))
        links.as_command("replay", "run", flow_id)
        links.as_command("replay", "run", flow_id, "--code", "MODULE:FUNCTION")


def ordered(replays: Sequence[ReplayResult]) -> list[ReplayResult]:
    """Controls before what-ifs, the trace before code."""
    places = {mode: place for place, mode in enumerate(MODES)}
    return sorted(
        replays,
        key=lambda it: (
            it.scenario is not None,
            it.scenario or "",
            places.get(it.mode, len(places)),
            it.mode,
            it.digest,
        ),
    )


def agreement(found: Sequence[ReplayResult]) -> list[str]:
    """Whether the controls of several modes say the same."""
    controls = {it.mode: it.verdict for it in found if it.scenario is None}
    if len(controls) < 2:
        return [f"Replayed by {plural(len(controls), 'mode')}: nothing to hold it against."]
    if len(set(controls.values())) == 1:
        return [f"{' and '.join(controls)} agree: {next(iter(controls.values()))}."]
    told = ", ".join(f"{mode} says {verdict}" for mode, verdict in controls.items())
    return [f"They do not agree: {told}. Look at the first divergence of each."]


def _row(one: ReplayResult) -> dict[str, object]:
    first = one.divergences[0] if one.divergences else None
    low, high = duration_text(one.virtual_low_ns), duration_text(one.virtual_high_ns)
    return {
        "replayed": MODES.get(one.mode, clean(one.mode)),
        "with": clean(one.scenario) if one.scenario else "nothing changed",
        "verdict": worded(one.verdict),
        "ends": worded(one.outcome) if one.outcome else "–",
        "takes": low if low == high else f"{low} to {high}",
        "divergences": len(one.divergences),
        "first of them": KINDS.get(first.kind, first.kind.replace("_", " ")) if first else "–",
        "claim": one.claim or "–",
        "doubts": ", ".join(map(clean, one.flags[:4])) or "–",
        "reason": shortened(clean(one.reason), REASON_LENGTH_MAX) or "–",
        "digest": one.digest[:16],
    }
