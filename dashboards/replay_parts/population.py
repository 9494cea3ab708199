"""A what-if for many flows: each alone, and all calls at once where load feeds back."""

from collections import Counter
from collections.abc import Sequence

import polars as pl
import streamlit as st

from dashboards import links
from dashboards.components.exports import exports
from dashboards.markup import chip, heading, notes, worded
from dashboards.replay_parts.result import flips
from dashboards.replays import Kind, Replayed, replayed, simulated
from dashboards.scope import Scope
from dashboards.what_ifs import file_name
from dashboards.wording import count_text, duration_text, plural, shortened
from replay.doubts import CLAIMS
from replay.population import Population
from replay.whatif import OR, ends_of
from retrospan.programs import interval_ppm
from store.conclusions import Flow, ReplayResult

REASONS_MAX = 5
FLOWS_MAX = 200
MEASURES = {
    "calls": "calls",
    "attempts": "tries",
    "timeouts": "timeouts",
    "failed_calls": "failed calls",
    "refused": "refused by a breaker",
    "latency_median_ns": "latency p50",
    "latency_p95_ns": "latency p95",
    "peak": "most at once",
}


def each_alone(flow_ids: Sequence[str], kind: Kind, text: str, scope: Scope) -> None:
    """How the flows of a kind would have ended, each by itself."""
    ids = tuple(flow_ids[:FLOWS_MAX])
    st.subheader("The same what-if for other flows of this kind, each alone")
    if not ids:
        st.text("None of this kind and version began in this range: choose more above.")
        return
    cut = f", the latest of {len(flow_ids):,} in scope" if len(ids) < len(flow_ids) else " in scope"
    name = f"{plural(len(ids), 'flow')} of {kind[0]} {kind[1]}".strip()
    st.caption(f"{name}{cut}")
    if st.button(f"Replay {plural(len(ids), 'flow')}", key="what-if-each"):
        st.session_state["what-if-for"] = (ids, text)
    if st.session_state.get("what-if-for") == (ids, text):
        _each(replayed(ids, text, scope))


def _each(run: Replayed) -> None:
    flows, results = list(run.flows), list(run.results)
    claims = Counter(one.claim or "none" for one in results)
    st.html("".join(_claim_chip(name, claims[name]) for name in sorted(claims)))
    judged = [
        (flow, one) for flow, one in zip(flows, results, strict=True) if one.claim is not None
    ]
    if not judged:
        _refusals(results)
        st.text("No claim about any of them.")
        return
    table = pl.DataFrame(_changes(judged))
    st.dataframe(table, hide_index=True, alt="Outcomes before and after, with shares")
    exports(table, "outcome-changes")
    flips(flows, results)
    _refusals(results)


def _claim_chip(name: str, count: int) -> str:
    told = f"claim {name}: {count:,}" if name != "none" else f"no claim: {count:,}"
    return chip(told, tone="info" if name != "none" else "warn", title=CLAIMS.get(name, ""))


def _changes(judged: Sequence[tuple[Flow, ReplayResult]]) -> list[dict[str, object]]:
    counted = Counter((flow.outcome.value, OR.join(ends_of(one))) for flow, one in judged)
    rows: list[dict[str, object]] = []
    for (before, after), count in sorted(counted.items(), key=lambda item: (-item[1], item[0])):
        low, high = interval_ppm(count, len(judged))
        rows.append(
            {
                "recorded": worded(before),
                "replayed": worded(after),
                "": "=" if before == after else "?" if before in after.split(OR) else "≠",
                "flows": f"{count:,} of {len(judged):,}",
                "share, 95 %": f"{count * 100 / len(judged):.1f} % "
                f"({low / 1e4:.1f} to {high / 1e4:.1f} %)",
            }
        )
    return rows


def _refusals(results: Sequence[ReplayResult]) -> None:
    reasons = Counter(one.reason.partition(";")[0] for one in results if one.claim is None)
    if reasons:
        lines = [
            f"{plural(count, 'flow')}: {shortened(reason, 200) or 'no reason given'}"
            for reason, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
        ]
        st.html(notes(["No claim:", *lines[:REASONS_MAX]], tone="warn"))


def all_at_once(kind: Kind, text: str, scope: Scope) -> None:
    """One simulation per changed operation: load feeds back, so the claim is C4."""
    st.subheader("For all calls at once, where load feeds back")
    st.html(chip(f"claim C4: {CLAIMS['C4']}", tone="info"))
    if st.button("Simulate all calls", key="what-if-all"):
        st.session_state["what-if-all-for"] = (kind, text)
    if st.session_state.get("what-if-all-for") == (kind, text):
        for one in simulated(kind, text, scope):
            _simulation(one)
    st.caption("From the command line, over all flows, with the scenario saved above:")
    links.as_command("replay", "population", "--scenario", f"{file_name(text)}.yaml")


def _simulation(one: Population) -> None:
    st.html(heading(one.operation, size_rem="1.05"))
    errors = one.calibration_ppm()
    table = pl.DataFrame(
        [
            {
                "measure": words,
                "recorded": _said(name, getattr(one.recorded, name)),
                "simulated as recorded": _said(name, getattr(one.simulated, name)),
                "error of the simulation": f"{errors[name] / 1e4:+.1f} %" if name in errors else "",
                "simulated with the change": _said(name, getattr(one.changed, name)),
            }
            for name, words in MEASURES.items()
        ]
    )
    st.dataframe(table, hide_index=True, alt="Recorded, simulated and changed measures")
    exports(table, "population")


def _said(name: str, value: int) -> str:
    return duration_text(value) if name.endswith("_ns") else count_text(value)
