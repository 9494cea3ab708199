"""What another policy would have answered to the decisions in scope, and whom that touches."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import streamlit as st

from analyzer.oversight.backtest import Backtest, backtest
from analyzer.oversight.policy import FACTS, OUTCOMES, Policy, facts_of, load_policy
from dashboards import data, links
from dashboards.components.address_filters import one_of
from dashboards.components.exports import exports
from dashboards.components.picking_table import picking_table
from dashboards.components.plain_table import plain_table
from dashboards.estimates import percent
from dashboards.markup import chip, facts, heading, notes
from dashboards.oversight_parts.read import Looked, policy_files
from dashboards.wording import clean, plural, shortened, time_text
from store.errors import DataError, UsageError

OWN = "written here"
TEXT_CHARS_MAX = 50_000
ROWS_MAX = 1_000
SUFFIXES = (".yaml", ".yml")
_KEPT = "policy_text"
EXAMPLE = """schema: retrospan.policy/1
id: more-people
version: "1"
rules:
  - when: confidence < 0.9
    outcome: escalate
    reason: not sure enough to act alone
default: allow
"""


def backtest_tab(found: Looked) -> None:
    """A policy, configured or written here; what it would change, with n, and in which flows."""
    left, right = st.columns([2, 3], gap="medium")
    with left:
        path, policy = _policy()
    with right:
        if policy is None:
            st.text("Give a policy on the left: its answers are compared with the recorded ones.")
            return
        _result(found, policy)
        links.as_command("governance", "backtest", "--policy", path, whole=True)


def _policy() -> tuple[str, Policy | None]:
    """The file as a command names it, and the policy; None where there is none yet."""
    files = {one.name: one for one in policy_files() if one.suffix in SUFFIXES}
    chosen = one_of("Policy", "policy", [*files, OWN], clean)
    if chosen in files:
        path = files[chosen]
        with st.expander("The file"):
            st.code(clean(path.read_text("utf-8")), language="yaml", wrap_lines=True)
        return str(path), _loaded(path, str(path))
    if not files:
        st.caption("No policy file is configured: [governance] policies in retrospan.toml.")
    return "FILE", _written()


def _written() -> Policy | None:
    given = st.file_uploader("A file", type=["yaml", "yml"], key="policy-file")
    if given is not None and st.session_state.get("policy-from") != given.file_id:
        st.session_state["policy-from"] = given.file_id
        st.session_state[_KEPT] = given.getvalue()[:TEXT_CHARS_MAX].decode("utf-8", "replace")
    st.session_state["policy-text"] = st.session_state.get(_KEPT, EXAMPLE)
    text = st.text_area(
        "Policy: the first rule whose condition holds decides",
        key="policy-text",
        height=230,
        max_chars=TEXT_CHARS_MAX,
        on_change=_keep,
    )
    st.caption("Kept in this window only. Save it as FILE for the command.")
    with st.expander("What a condition can ask, and what an outcome can be"):
        st.html(facts([*FACTS.items(), ("outcome", ", ".join(OUTCOMES))]))
    with tempfile.TemporaryDirectory(prefix="retrospan-policy-") as folder:
        path = Path(folder) / "policy.yaml"
        path.write_text(text or "", "utf-8")
        return _loaded(path, "the policy")


def _keep() -> None:
    st.session_state[_KEPT] = st.session_state["policy-text"]


def _loaded(path: Path, name: str) -> Policy | None:
    try:
        return load_policy(path)
    except (DataError, UsageError) as error:
        told = str(error).replace(str(path), name)
        st.html(notes([shortened(clean(told), 600)], tone="error"))
        return None


def _result(found: Looked, policy: Policy) -> None:
    path = data.store_path()
    ids = tuple(it.decision.decision_id for it in found.decisions)
    told = _backtested(str(path), data.stamp_of(path), ids, policy.sha256, found, policy)
    above = f"policy, version {policy.version}, SHA-256 {policy.sha256[:12]}…"
    st.html(heading(policy.policy_id, above=above, size_rem="1.1") + _chips(told))
    share = told.share
    if share is None:
        st.text("No decision is in this selection.")
        return
    st.text(_claim(told))
    plain_table(_table(told), key="policy_table", alt="Answers recorded and of this policy")
    if told.changes:
        _changes(found, told)


def _chips(told: Backtest) -> str:
    share = told.share
    if share is None:
        return ""
    exact = share.low == share.high
    value = percent(share.low) if exact else f"{percent(share.low)} to {percent(share.high)}"
    return (
        chip(f"{len(told.changes):,} of {told.n:,} answers change", tone="info")
        + chip(f"{value} of all", tone="ok" if exact else "warn", icon="=" if exact else "?")
        + chip("exact, by recomputation (C2)" if exact else "an interval (C3)")
        + chip(f"{told.unknown:,} unknown", tone="warn" if told.unknown else "neutral")
        + chip(f"{plural(len(told.flow_ids), 'flow')} touched")
    )


def _claim(told: Backtest) -> str:
    if not told.unknown:
        return (
            f"Exact for {plural(told.n, 'decision')}: the policy reads only what was recorded. "
            "What the flows would have done then is not told here: a replay tells."
        )
    return (
        f"{plural(told.unknown, 'decision')} lack a fact this policy asks for. The interval runs "
        "from none of them changing to all of them. What the flows would have done then, a replay "
        "tells."
    )


def _table(told: Backtest) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "": "=" if recorded == answered else "≠",
                "gate said": clean(recorded) or "nothing recorded",
                "this policy says": clean(answered),
                "decisions": f"{n:,} of {told.n:,}",
                "share": percent(n / told.n),
            }
            for (recorded, answered), n in sorted(
                told.table.items(), key=lambda item: (item[0][0] == item[0][1], -item[1], item[0])
            )
        ]
    )


def _changes(found: Looked, told: Backtest) -> None:
    at = {it.decision.decision_id: it for it in found.decisions}
    shown = told.changes[:ROWS_MAX]
    cut = f"; the first {len(shown):,} are listed" if len(shown) < len(told.changes) else ""
    st.caption(
        f"{plural(len(told.changes), 'changed answer')}{cut}. Select a row to see the decision."
    )
    acted = {True: "yes", False: "no", None: "unknown"}
    table = pl.DataFrame(
        [
            {
                "made": time_text(at[it.decision_id].decision.time_ns),
                "chose": clean(at[it.decision_id].decision.chosen),
                "gate said": clean(it.recorded) or "nothing recorded",
                "this policy says": clean(it.answered),
                "carried out": acted[it.acted],
                "person looked": "yes" if it.reviewed else "no",
                "flow": it.flow_id or "in no flow",
                "decision": it.decision_id,
            }
            for it in shown
        ]
    )
    row = picking_table(table, key="policy_changes", alt="Decisions whose answer would change")
    if row is not None:
        links.open_view("ai", decision=shown[row].decision_id)
    exports(table, "policy-back-test")
    _replays([it.flow_id for it in shown if it.flow_id is not None])


def _replays(flow_ids: Sequence[str]) -> None:
    if flow_ids:
        links.replay_link(f"Replay {flow_ids[0]}, the first flow touched", flow=flow_ids[0])


@st.cache_resource(max_entries=6, show_spinner="Asking the policy …")
def _backtested(
    path: str,
    stamp: data.Stamp,
    decision_ids: tuple[str, ...],
    sha256: str,
    _found: Looked,
    _policy: Policy,
) -> Backtest:
    del path, stamp, decision_ids, sha256  # only parts of the key
    return backtest(_found.decisions, [_policy.outcome(facts_of(it)) for it in _found.decisions])
