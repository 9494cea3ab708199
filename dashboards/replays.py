"""Replays that a page asks for: made from the store, kept in memory, not written anywhere.

The command line stores what it replays; a page only looks, so that anybody may look.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from dashboards import data
from dashboards.data import Stamp
from replay.engine import replay_flows
from replay.population import Population, simulate
from replay.recording import recording_of
from replay.scenario import Scenario, parse_scenario
from store.conclusions import Flow, ReplayResult
from store.errors import DataError, UsageError
from store.read import FlowSelection, read_flow, read_flows
from store.session import Session

KIND_FLOWS_MAX = 5_000  # recordings of one kind a page reads; the command has no such limit
BATCH_MAX = 500  # flows replayed at once by a page

Kind = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """Flows as recorded, their replays in the same order, and the scenario, None for a control."""

    flows: Sequence[Flow]
    results: Sequence[ReplayResult]
    scenario: Scenario | None


def replayed(flow_ids: Sequence[str], scenario_text: str | None) -> Replayed:
    """Replays of some flows; raises what the engine raises, and a limit as `UsageError`."""
    if len(flow_ids) > BATCH_MAX:
        raise UsageError(
            f"a page replays at most {BATCH_MAX} flows at once; the command replays all"
        )
    path = data.store_path()
    return _replayed(str(path), data.stamp_of(path), tuple(flow_ids), scenario_text)


def simulated(kind: Kind, scenario_text: str) -> Sequence[Population]:
    """What changes do to all calls of an operation at once, over the flows of a kind."""
    path = data.store_path()
    return _simulated(str(path), data.stamp_of(path), kind, scenario_text)


def operations(kind: Kind) -> Sequence[str]:
    """Operations that flows of a kind call, as a scenario names them."""
    path = data.store_path()
    return _operations(str(path), data.stamp_of(path), kind)


def of_kind(session: Session, kind: Kind) -> list[Flow]:
    """All flows of a kind; too many for a page is an error that names the command."""
    name, version = kind
    found = read_flows(session, FlowSelection(name=name, version=version, limit=KIND_FLOWS_MAX + 1))
    if len(found) > KIND_FLOWS_MAX:
        raise UsageError(
            f"more than {KIND_FLOWS_MAX:,} flows of {name} {version}: a page reads no more; "
            "the command below replays them"
        )
    return found


@st.cache_resource(max_entries=8, show_spinner="Replaying …")
def _replayed(
    path: str, stamp: Stamp, flow_ids: tuple[str, ...], scenario_text: str | None
) -> Replayed:
    del stamp  # only part of the key
    scenario = None if scenario_text is None else parse_scenario(scenario_text)
    flows = data.held("replaying", partial(_flows, flow_ids=flow_ids, scenario=scenario), path)
    results = replay_flows(flows, flow_ids, scenario=scenario)
    by_id = {flow.flow_id: flow for flow in flows}
    return Replayed(flows=[by_id[one] for one in flow_ids], results=results, scenario=scenario)


def _flows(session: Session, flow_ids: tuple[str, ...], scenario: Scenario | None) -> list[Flow]:
    kinds: dict[Kind, None] = {}
    for flow_id in flow_ids:
        flow = read_flow(session, flow_id)
        kinds[flow.name, flow.version] = None
        if scenario is not None and scenario.version is not None:
            kinds[flow.name, scenario.version] = None
    return [flow for kind in kinds for flow in of_kind(session, kind)]


@st.cache_resource(max_entries=8, show_spinner="Simulating all calls …")
def _simulated(path: str, stamp: Stamp, kind: Kind, scenario_text: str) -> Sequence[Population]:
    del stamp  # only part of the key
    scenario = parse_scenario(scenario_text)
    if not scenario.changes:
        raise DataError("a population what-if needs a changed setting")
    flows = data.held("simulating", partial(of_kind, kind=kind), path)
    recordings = [(flow.start_ns, recording_of(flow)) for flow in flows]
    return [simulate(recordings, change) for change in scenario.changes]


@st.cache_resource(max_entries=16, show_spinner="Reading operations …")
def _operations(path: str, stamp: Stamp, kind: Kind) -> Sequence[str]:
    del stamp  # only part of the key
    flows = data.held("listing operations", partial(of_kind, kind=kind), path)
    found = {step.op for flow in flows for step in recording_of(flow).steps if not step.local}
    return sorted(found)
