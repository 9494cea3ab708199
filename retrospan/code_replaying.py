"""Replaying stored flows by the user's own code, and keeping the results."""

import os
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from retrospan import telemetry
from retrospan.edge import Edge
from store.conclusions import Flow, ReplayResult
from store.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from replay.code.engine import Subject
    from replay.code.settings import CodeSettings
    from store.model import Span

Show = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to run: `module:function`, by which interpreter, how many other orders; `expected` are
    predicates in CEL that decide instead of the verdict, where there are any."""

    code: str
    python: str
    explore: int = 0
    expected: tuple[str, ...] = ()
    scenario: Path | None = None
    isolate: bool = True
    debug: bool = False


@telemetry.phase("replay of code")
def code_replayed(
    edge: Edge, flow_ids: Sequence[str] | None, wanted: Wanted, show: Show
) -> tuple[list[ReplayResult], list[str]]:
    """Results of the named flows, or of all, in the order asked for, and what was expected of them
    and is not so; the results are stored too."""
    from analyzer.expression import compiled
    from replay.code.engine import replay_code
    from replay.code.facts import NAMES, unmet
    from replay.code.settings import Code
    from replay.scenario import load_scenario
    from store import write

    module, colon, function = wanted.code.partition(":")
    if not (module and colon and function):
        raise UsageError(f"--code takes MODULE:FUNCTION, not {wanted.code!r}")
    if wanted.debug:
        _check_terminal(flow_ids, wanted)
    if wanted.scenario is not None and wanted.explore:
        raise UsageError("--explore looks for races in what was recorded: it takes no --scenario")
    scenario = None if wanted.scenario is None else load_scenario(wanted.scenario)
    for text in wanted.expected:
        compiled(text, NAMES, "--expect")
    settings = _settings(edge)
    code = Code(
        name=wanted.code,
        python=wanted.python,
        path=(str(Path.cwd()),),
        environment=dict(os.environ),
        isolate=wanted.isolate,
        debug=wanted.debug,
    )
    subjects = _subjects(edge, flow_ids, lending=scenario is not None)
    results = []
    runs = replay_code(subjects, code, settings=settings, explore=wanted.explore, scenario=scenario)
    for result in runs:
        results.append(result)
        show(f"replayed {len(results)} of {len(subjects)}")
    show("")
    with edge.lease("storing replays") as session:
        write.write_replays(session, results)
    told = [
        f"{result.flow_id}: {why}"
        for subject, result in zip(subjects, results, strict=True)
        for why in unmet(subject.flow, result, wanted.expected)
    ]
    return results, told


def _check_terminal(flow_ids: Sequence[str] | None, wanted: Wanted) -> None:
    if flow_ids is None or len(flow_ids) != 1 or wanted.explore:
        raise UsageError("--pdb takes one FLOW_ID, and no --explore")
    if not sys.stdin.isatty():
        raise UsageError("--pdb needs a terminal to talk to you")


def _settings(edge: Edge) -> "CodeSettings":
    from replay.code.settings import CodeSettings

    return edge.settings().fill("replay_code", CodeSettings)


def _subjects(edge: Edge, flow_ids: Sequence[str] | None, *, lending: bool) -> "list[Subject]":
    """The flows with their spans; the other flows of a kind tell what is usual, and may lend."""
    from analyzer.events import read_with_events
    from replay.code.donors import donors_of
    from replay.code.effects import honouring
    from replay.code.engine import Subject
    from replay.code.transitions import transitions_of
    from store import read

    with edge.reading("reading flows to replay") as session:
        for flow_id in flow_ids or ():
            read.read_flow(session, flow_id)
        flows = read.read_flows(session)
        wanted = _chosen(flows, flow_ids)
        spans = read_with_events(session, sorted({it for flow in wanted for it in flow.trace_ids}))
    if not flows:
        raise NotFoundError("the store holds no flow; load data with: retrospan ingest PATH")
    by_trace: defaultdict[str, list[Span]] = defaultdict(list)
    for span in spans:
        by_trace[span.trace_id].append(span)
    kinds: defaultdict[str, list[Flow]] = defaultdict(list)
    for flow in flows:
        kinds[flow.name].append(flow)
    names = {flow.name for flow in wanted}
    usual = {name: transitions_of(kinds[name]) for name in names}
    observed = honouring(flows)
    donors = {name: donors_of(kinds[name]) if lending else {} for name in names}
    return [
        Subject(
            flow=flow,
            spans=[span for trace_id in flow.trace_ids for span in by_trace[trace_id]],
            usual=usual[flow.name],
            honouring=observed,
            donors=donors[flow.name],
        )
        for flow in wanted
    ]


def _chosen(flows: Sequence[Flow], flow_ids: Sequence[str] | None) -> list[Flow]:
    if flow_ids is None:
        return list(flows)
    by_id = {flow.flow_id: flow for flow in flows}
    return [by_id[flow_id] for flow_id in dict.fromkeys(flow_ids)]
