"""What became of the effects of flows with a saga: sums over kinds, stored with the flows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import polars as pl
import streamlit as st

from analyzer.sagas import undoing
from analyzer.sagas.measures import Measuring, SagaMeasures
from dashboards import data
from dashboards.scope import Scope
from store.conclusions import Flow, SagaVerdict
from store.read import read_flow, read_sagas
from store.session import Session

STUCK_MAX = 500  # rows of stuck flows


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What became of the effects of all `flows` in scope that have a saga.

    `stuck` are ids of those with effects left standing or that never came to rest, the most left
    first, as many as are shown; `stuck_flows` and `stuck_effects` count all.
    """

    flows: int
    measures: SagaMeasures
    stuck: Sequence[str]
    stuck_flows: int
    stuck_effects: int


def undone(scope: Scope) -> Undone:
    """What became of the effects in scope."""
    path = data.store_path()
    return _undone(str(path), data.stamp_of(path), scope)


def one(flow_id: str) -> tuple[Flow, Sequence[SagaVerdict]]:
    """One flow with its sagas."""
    path = data.store_path()
    return _one(str(path), data.stamp_of(path), flow_id)


@st.cache_resource(max_entries=8, show_spinner="Reading the flow …")
def _one(path: str, stamp: data.Stamp, flow_id: str) -> tuple[Flow, Sequence[SagaVerdict]]:
    del stamp  # only part of the key

    def question(session: Session) -> tuple[Flow, Sequence[SagaVerdict]]:
        flow = read_flow(session, flow_id)
        return flow, read_sagas(session, [flow.flow_id])

    return data.held("one flow", question, path)


@st.cache_resource(max_entries=4, show_spinner="Reading sagas …")
def _undone(path: str, stamp: data.Stamp, scope: Scope) -> Undone:
    del stamp  # only part of the key
    found = data.held("sagas", partial(_asked, scope=scope), path)
    kinds = {kind: undoing.read(text) for kind, text in found["undoing_kinds"].iter_rows()}
    measuring, flows = Measuring(), 0
    for kind, count in found["undoings"].iter_rows():
        measuring.take(kinds[kind], count)
        flows += count
    for kind, times_ns in found["undoing_times"].iter_rows():
        measuring.take_times(kinds[kind], times_ns)
    stuck = found["stuck"]
    whole = stuck.row(0, named=True) if stuck.height else {"found": 0, "effects_found": 0}
    return Undone(
        flows=flows,
        measures=measuring.measures(),
        stuck=tuple(stuck["flow_id"]),
        stuck_flows=int(whole["found"]),
        stuck_effects=int(whole["effects_found"]),
    )


def _asked(session: Session, scope: Scope) -> dict[str, pl.DataFrame]:
    params = data.params_of(scope)
    return {
        "undoings": data.asked(session, "undoings", params),
        "undoing_times": data.asked(session, "undoing_times", params),
        "undoing_kinds": data.asked(session, "undoing_kinds"),
        "stuck": data.asked(session, "stuck", {**params, "rows": STUCK_MAX}),
    }
