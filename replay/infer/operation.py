"""One operation of a program, from all that was found out about its kind."""

from collections.abc import Sequence
from dataclasses import dataclass

from replay.infer.abort import Abort
from replay.infer.binding import Binding, Request, bind, bind_leaves
from replay.infer.cancel import Cancel
from replay.infer.chain import Chain
from replay.infer.each import Each
from replay.infer.expression import Scope
from replay.infer.guards import learn_results
from replay.infer.hedge import Hedge
from replay.infer.order import Order
from replay.infer.pace import learn_paces
from replay.infer.program import Operation
from replay.infer.recovery import Recovery
from replay.infer.repeat import Repeat
from replay.infer.settings import LearnSettings
from replay.infer.support import donor_of
from replay.infer.timing import Span3, spread
from replay.infer.tree import Tree
from replay.infer.view import Instance, Observation, Table, base_name
from replay.infer.waits import Waits


@dataclass(slots=True)
class Parts:
    """What was found out about a kind, for its program to be put together of."""

    observations: list[Observation]
    settings: LearnSettings
    forward: tuple[str, ...]
    undoing: tuple[str, ...]
    order: Order
    table: Table
    waits: Waits
    eaches: dict[str, tuple[Each, Binding]]
    abort: Abort
    ended: list[frozenset[str]]
    recovery: Recovery
    repeats: dict[str, Repeat]
    pooled: Tree | None
    guards: dict[str, Tree]
    cancels: dict[str, Cancel]
    hedges: dict[str, Hedge]
    chains: dict[str, Chain]
    rounds: dict[str, Span3]


def operation_of(parts: Parts, op: str) -> Operation:
    """Put one operation together."""
    observations = [o for o in parts.observations if op in o.nodes]
    undoing = op in parts.undoing
    ancestors = sorted(parts.order.sequence if undoing else parts.order.before[op])
    runs = [(o, run) for o in observations for run in o.nodes[op].instances]
    local = _is_local(observations, op)
    copied: dict[str, Binding] = {}
    decided: dict[str, Tree] = {}
    if local and not undoing:
        copied, decided = learn_results(
            observations=parts.observations,
            op=op,
            order=parts.order,
            table=parts.table,
            share=parts.settings.loss_share,
        )
    each = parts.eaches.get(op)
    paces = learn_paces(
        parts.observations,
        op,
        parts.order,
        parts.table,
        parts.waits,
        parts.settings.clock_tolerance_ns,
    )
    return Operation(
        name=op,
        local=local,
        key=each[1] if each is not None else _key(runs, ancestors, parts.settings.loss_share),
        each=None if each is None else each[0],
        chain=parts.chains.get(op),
        several=any(len(o.nodes[op].instances) > 1 for o in observations),
        request=_request(runs, ancestors, parts.settings.loss_share),
        copied=copied,
        decided=decided,
        repeat=parts.repeats[op],
        guard=None if op in parts.hedges else parts.guards.get(op),
        gap=parts.rounds.get(op) or parts.waits.overall.get(op, spread([])),
        gaps=parts.waits.after.get(op, {}),
        paces=paces,
        loose=tuple(last for last in parts.waits.loose.get(op, ()) if last not in paces),
        hedge=parts.hedges.get(op),
        runs=len(runs),
        donor=donor_of([run for _, run in runs]),
    )


def _is_local(observations: Sequence[Observation], op: str) -> bool:
    name = base_name(op)
    return any(
        step.local for o in observations[:1] for step in o.recording.steps if step.op == name
    )


def _scope(observation: Observation, run: Instance) -> Scope:
    return Scope(observation.view, own_key=run.key, item=run.item, undone=run.undone)


def _key(
    runs: Sequence[tuple[Observation, Instance]], ancestors: Sequence[str], share: float
) -> Binding | None:
    return bind([(_scope(o, run), run.key) for o, run in runs], ancestors, share)


def _request(
    runs: Sequence[tuple[Observation, Instance]], ancestors: Sequence[str], share: float
) -> Request:
    return bind_leaves([(_scope(o, run), run.request) for o, run in runs], ancestors, share)


def output_of(parts: Parts) -> Request:
    """Bind what flows return that went well."""
    samples = [(Scope(o.view), o.recording.output) for o in parts.observations if o.good]
    return bind_leaves(samples, parts.order.sequence, parts.settings.loss_share)
