"""Flows with a saga, whole, as far as a page can look at them."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
import streamlit as st

from analyzer.sagas.measures import SagaMeasures, measure
from dashboards import data
from dashboards.compensation_parts.steps import StepRow, step_rows
from dashboards.compensation_parts.ways import Way, ways
from store.conclusions import Flow, SagaVerdict
from store.read import FlowSelection, read_flows, read_sagas

FLOWS_MAX = 5_000  # the latest ones in scope; reading more would make a reader wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """Measures of the flows looked at; `flows` are all in scope that have a saga."""

    flows: int
    looked_at: int
    measures: SagaMeasures
    steps: Sequence[StepRow]
    ways: Sequence[Way]


def saga_flow_ids() -> list[str]:
    """Ids of all flows with a saga, latest first."""
    path = data.store_path()
    return _ids(str(path), data.stamp_of(path))


def undone(flow_ids: Sequence[str]) -> Undone:
    """What became of these flows' effects."""
    path = data.store_path()
    return _undone(str(path), data.stamp_of(path), tuple(flow_ids[:FLOWS_MAX]), len(flow_ids))


def one(flow_id: str) -> tuple[Flow, Sequence[SagaVerdict]]:
    """One flow with its sagas."""
    found = data.flow_page(flow_id)
    return found.flow, found.sagas


@st.cache_resource(max_entries=2)
def _ids(path: str, stamp: data.Stamp) -> list[str]:
    del stamp  # only part of the key
    found: pl.DataFrame = data.held(
        "flows with a saga", lambda session: data.asked(session, "saga_flow_ids"), path
    )
    return [str(flow_id) for flow_id in found["flow_id"]]


@st.cache_resource(max_entries=4, show_spinner="Reading sagas …")
def _undone(path: str, stamp: data.Stamp, flow_ids: tuple[str, ...], whole: int) -> Undone:
    del stamp  # only part of the key
    chosen = list(flow_ids)
    flows, sagas = data.held(
        "sagas",
        lambda session: (
            read_flows(session, FlowSelection(flow_ids=chosen)),
            read_sagas(session, chosen),
        ),
        path,
    )
    by_id = {flow.flow_id: flow for flow in flows}
    pairs = [(by_id[saga.flow_id], saga) for saga in sagas if saga.flow_id in by_id]
    return Undone(
        flows=whole,
        looked_at=len(flows),
        measures=measure(pairs),
        steps=step_rows(flows),
        ways=ways(flows),
    )
