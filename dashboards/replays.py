"""Replays that a page asks for: made from the store, kept in memory, not written anywhere.

The command line stores what it replays; a page only looks, so that anybody may look, until somebody
puts a what-if into a post-mortem.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from dashboards import configured, data
from dashboards.data import Stamp
from dashboards.scope import Scope
from replay.engine import replay_flows
from replay.lines import with_lines
from replay.population import Population, simulate
from replay.recording import recording_of
from replay.scenario import Scenario, parse_scenario
from replay.settings import ReplaySettings
from store.conclusions import Flow, ReplayResult
from store.errors import DataError, UsageError
from store.read import FlowSelection, read_flow, read_flows
from store.session import Session

KIND_FLOWS_MAX = 5_000  # recordings of one kind a page reads; the command has no such limit
FLOWS_MAX = 600  # flows in range whose recordings are read within about a second
BATCH_MAX = 500  # flows replayed at once by a page

Kind = tuple[str, str]
Range = tuple[int | None, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """Flows as recorded, their replays in the same order, and the scenario, None for a control."""

    flows: Sequence[Flow]
    results: Sequence[ReplayResult]
    scenario: Scenario | None


def replayed(flow_ids: Sequence[str], scenario_text: str | None, scope: Scope) -> Replayed:
    """Replays of some flows, by programs learnt from the flows of their kinds in the time range.

    Raises what the engine raises, and a limit as `UsageError`.
    """
    if len(flow_ids) > BATCH_MAX:
        raise UsageError(
            f"a page replays at most {BATCH_MAX} flows at once; the command replays all"
        )
    path = data.store_path()
    return _replayed(
        str(path),
        data.stamp_of(path),
        tuple(flow_ids),
        scenario_text,
        _range(scope),
        configured.settings().fill("replay", ReplaySettings),
    )


def simulated(kind: Kind, scenario_text: str, scope: Scope) -> Sequence[Population]:
    """What changes do to all calls of an operation at once, over the flows of a kind in range."""
    path = data.store_path()
    return _simulated(str(path), data.stamp_of(path), kind, scenario_text, _range(scope))


def learnt_from(kind: Kind, scope: Scope) -> Sequence[Flow]:
    """The flows of a kind in the time range, which programs are learnt from."""
    path = data.store_path()
    return _of_kind(str(path), data.stamp_of(path), kind, _range(scope))


def operations(kind: Kind, scope: Scope) -> Sequence[str]:
    """Operations that flows of a kind in the time range call, as a scenario names them."""
    found = {
        step.op
        for flow in learnt_from(kind, scope)
        for step in recording_of(flow).steps
        if not step.local
    }
    return sorted(found)


def _range(scope: Scope) -> Range:
    return scope.since_ns, scope.until_ns


@st.cache_resource(max_entries=2, show_spinner="Reading flows of the kind …")
def _of_kind(path: str, stamp: Stamp, kind: Kind, between: Range) -> list[Flow]:
    """All flows of a kind; too many for a page is an error that names the command."""
    del stamp  # only part of the key
    name, version = kind
    wanted = FlowSelection(
        name=name,
        version=version,
        since_ns=between[0],
        until_ns=between[1],
        limit=KIND_FLOWS_MAX + 1,
    )
    found = data.held("flows of one kind", lambda session: read_flows(session, wanted), path)
    if len(found) > KIND_FLOWS_MAX:
        raise UsageError(
            f"more than {KIND_FLOWS_MAX:,} flows of {name} {version}: a page reads no more; "
            "choose a shorter range above, or use the command below"
        )
    return found


@st.cache_resource(max_entries=8, show_spinner="Replaying …")
def _replayed(
    path: str,
    stamp: Stamp,
    flow_ids: tuple[str, ...],
    scenario_text: str | None,
    between: Range,
    settings: ReplaySettings,
) -> Replayed:
    scenario = None if scenario_text is None else parse_scenario(scenario_text)
    with data.one_lease():
        heads = data.overview(Scope(), flow_ids).flows
        kinds: dict[Kind, None] = {}
        for name, version in heads.select("name", "version").iter_rows():
            kinds[name, version] = None
            if scenario is not None and scenario.version is not None:
                kinds[name, scenario.version] = None
        by_id: dict[str, Flow] = {}
        for kind in kinds:
            by_id |= {flow.flow_id: flow for flow in _of_kind(path, stamp, kind, between)}
        outside = tuple(flow_id for flow_id in flow_ids if flow_id not in by_id)
        if outside:
            own = data.held("replaying", partial(_own, flow_ids=outside), path)
            by_id |= {flow.flow_id: flow for flow in own}
    ordered = sorted(by_id.values(), key=lambda flow: (flow.start_ns, flow.flow_id))
    made = replay_flows(ordered, flow_ids, scenario=scenario, settings=settings)
    results: Sequence[ReplayResult] = made
    if any(one.divergences for one in made):
        results = data.held("lines of code", partial(with_lines, results=made), path)
    return Replayed(flows=[by_id[one] for one in flow_ids], results=results, scenario=scenario)


def _own(session: Session, flow_ids: tuple[str, ...]) -> list[Flow]:
    if len(flow_ids) == 1:
        return [read_flow(session, flow_ids[0])]
    return read_flows(session, FlowSelection(flow_ids=flow_ids))


@st.cache_resource(max_entries=8, show_spinner="Simulating all calls …")
def _simulated(
    path: str, stamp: Stamp, kind: Kind, scenario_text: str, between: Range
) -> Sequence[Population]:
    scenario = parse_scenario(scenario_text)
    if not scenario.changes:
        raise DataError("a population what-if needs a changed setting")
    flows = _of_kind(path, stamp, kind, between)
    recordings = [(flow.start_ns, recording_of(flow)) for flow in flows]
    return [simulate(recordings, change) for change in scenario.changes]
