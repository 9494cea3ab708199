"""One flow out of its rows."""

from collections.abc import Mapping
from dataclasses import replace

from analyzer.assign.flows import FlowRows
from analyzer.conventions import (
    FLOW_INPUT,
    FLOW_NAME,
    FLOW_OUTPUT,
    FLOW_VERSION,
    document,
    text,
)
from analyzer.derive.architecture import architecture_of
from analyzer.derive.calls import calls_in
from analyzer.derive.caught import on_catch_routes
from analyzer.derive.critical_path import critical_path
from analyzer.derive.decisions import decision_ids
from analyzer.derive.declared import DeclaredFlow, declare_roles, settings_of
from analyzer.derive.ending import flow_outcome, said_aborted
from analyzer.derive.replayability import draws_of, grade_of, releases_of
from analyzer.derive.roles import assign_roles
from analyzer.derive.sampling import sampling_of
from analyzer.derive.settings import DeriveSettings
from analyzer.derive.shape import shape
from analyzer.derive.steps import drafts_of, step_of
from analyzer.derive.tree import Tree, end_of, plant
from analyzer.events import with_events
from store.conclusions import Flow
from store.model import JsonValue

NOTHING_DECLARED: Mapping[str, DeclaredFlow] = {}


def derive(
    rows: FlowRows,
    settings: DeriveSettings,
    declared: Mapping[str, DeclaredFlow] = NOTHING_DECLARED,
) -> Flow:
    """What one flow did, from everything recorded of it and declared of flows of its name."""
    rows = replace(rows, spans=with_events(rows.spans, rows.logs))
    tree = plant(rows.spans)
    root = tree.root
    attributes = root.attributes if root is not None else {}
    _, flow_input = document(attributes, FLOW_INPUT)
    output = _output(tree)
    name = text(attributes, FLOW_NAME) or (root.name if root is not None else "unknown")
    settings = settings_of(settings, declared.get(name))
    said = said_aborted(root, output, settings, asynchronous=tree.asynchronous)
    drafts = drafts_of(rows.flow_id, calls_in(tree))
    declare_roles(drafts, declared.get(name))
    caught = on_catch_routes(tree, drafts)
    assign_roles(drafts, settings, root_failed=said is True, caught=caught)
    steps = [step_of(draft) for draft in drafts]
    draws = draws_of(rows.logs)
    grade = grade_of(tree, steps, flow_input, draws)
    sampling = sampling_of(rows.spans)
    service = root.service if root is not None else ""
    flow = Flow(
        flow_id=rows.flow_id,
        name=name,
        version=text(attributes, FLOW_VERSION) or _service_version(tree),
        outcome=flow_outcome(root, said, steps),
        start_ns=root.start_ns if root is not None else tree.spans[0].start_ns,
        end_ns=end_of(tree),
        trace_ids=sorted({span.trace_id for span in rows.spans}),
        span_count=len(rows.spans),
        decision_ids=decision_ids(rows),
        architecture=architecture_of(service, steps),
        replayability=grade.replayability,
        complete=root is not None and not tree.orphans and not tree.unfinished,
        service=service,
        services=sorted({span.service for span in tree.spans}),
        steps=steps,
        critical_path=critical_path(tree),
        input=flow_input,
        output=output,
        draws=[*draws, *releases_of(tree.spans)],
        ties=list(rows.ties),
        evidence_gaps=[*grade.gaps, *([f"sampling: {sampling.reason}"] if sampling.reason else [])],
        sampling=sampling.kind,
        sampling_weight=sampling.weight,
    )
    return replace(flow, variant=shape(flow))


def _service_version(tree: Tree) -> str:
    if tree.root is None:
        return ""
    return text(tree.root.resource, "service.version") or ""


def _output(tree: Tree) -> JsonValue:
    """What the root says came out; where messages carry on, what the last that says so says."""
    if tree.root is None:
        return None
    told, output = document(tree.root.attributes, FLOW_OUTPUT)
    if told or not tree.asynchronous:
        return output
    tellers = [
        span
        for span in tree.spans
        if FLOW_OUTPUT in span.attributes and FLOW_NAME not in span.attributes
    ]
    last = max(tellers, key=lambda it: (it.end_ns or it.start_ns, it.span_id), default=tree.root)
    return document(last.attributes, FLOW_OUTPUT)[1]
