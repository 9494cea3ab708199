"""Flows with a saga, whole, a slice at a time."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
import streamlit as st

from analyzer.sagas.measures import Measuring, SagaMeasures
from dashboards import data
from dashboards.compensation_parts.steps import StepRow, Steps
from dashboards.compensation_parts.ways import Way, counted_ways, ways_of
from store.conclusions import Flow, SagaVerdict
from store.read import FlowSelection, read_flows, read_sagas
from store.session import Session

FLOWS_MAX = 600  # flows whose sagas are read within about a second
SLICE = 600  # flows in memory at a time, read under one lease


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What became of the effects of `flows` flows, all those in scope that have a saga."""

    flows: int
    measures: SagaMeasures
    steps: Sequence[StepRow]
    ways: Sequence[Way]


def saga_flow_ids(flows: pl.DataFrame) -> list[str]:
    """Those of the flows in scope that have a saga, latest first."""
    return [str(flow_id) for flow_id in flows.filter(pl.col("has_saga"))["flow_id"]]


def undone(flow_ids: Sequence[str]) -> Undone:
    """What became of these flows' effects."""
    path = data.store_path()
    return _undone(str(path), data.stamp_of(path), tuple(flow_ids))


def one(flow_id: str) -> tuple[Flow, Sequence[SagaVerdict]]:
    """One flow with its sagas."""
    found = data.flow_page(flow_id)
    return found.flow, found.sagas


@st.cache_resource(max_entries=4, show_spinner="Reading sagas …")
def _undone(path: str, stamp: data.Stamp, flow_ids: tuple[str, ...]) -> Undone:
    del stamp  # only part of the key
    measuring, steps, ways = Measuring(), Steps(), Counter[tuple[str, str, str]]()
    for first in range(0, len(flow_ids), SLICE):
        chosen = flow_ids[first : first + SLICE]

        def question(
            session: Session, chosen: Sequence[str] = chosen
        ) -> tuple[list[Flow], list[SagaVerdict]]:
            flows = read_flows(session, FlowSelection(flow_ids=chosen))
            return flows, read_sagas(session, chosen)

        flows, sagas = data.held("sagas", question, path)
        by_id = {flow.flow_id: flow for flow in flows}
        for saga in sagas:
            if saga.flow_id in by_id:
                measuring.add(by_id[saga.flow_id], saga)
        for flow in flows:
            steps.add(flow)
        ways += counted_ways(flows)
    return Undone(
        flows=len(flow_ids), measures=measuring.measures(), steps=steps.rows(), ways=ways_of(ways)
    )
