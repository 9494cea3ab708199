"""A flow kind's program from its recordings."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from replay.infer.abort import Abort, learn_abort
from replay.infer.binding import Binding, Request, bind, bind_leaves
from replay.infer.cancel import Cancel, cut_short, learn_cancels, learn_outlasting
from replay.infer.chain import Chain, learn_chains
from replay.infer.each import Each, learn_each
from replay.infer.expression import Scope
from replay.infer.first_of import add_firsts, learn_firsts
from replay.infer.grow import grow
from replay.infer.guards import learn_guards, learn_results
from replay.infer.hedge import Hedge, learn_hedge
from replay.infer.order import Order, happens_before
from replay.infer.outcome import learn_outcome
from replay.infer.pace import learn_paces
from replay.infer.places import (
    Places,
    fixed_targets,
    observe,
    places_called_twice,
    runs_beside,
)
from replay.infer.program import Operation, Program
from replay.infer.recovery import Recovery, learn_recovery
from replay.infer.repeat import Repeat, learn_repeats
from replay.infer.support import donor_of, support_of
from replay.infer.timing import Span3, spread
from replay.infer.tree import Tree
from replay.infer.view import (
    Instance,
    Observation,
    Table,
    base_name,
    place_name,
    tabulate,
)
from replay.infer.waits import (
    Waits,
    lasts_for_callees,
    learn_end_waits,
    learn_unawaited,
    learn_waits,
)
from replay.recording import RecordedStep, Recording


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnSettings:
    """`clock_tolerance_ns` is how far two spans of one caller may contradict each other;
    `loss_share` the share of recordings that may contradict a rule (0 = none)."""

    clock_tolerance_ns: int = 500_000
    loss_share: float = 0.0


@dataclass(slots=True)
class _Parts:
    """What the steps of learning hand on."""

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


def learn(recordings: Sequence[Recording], settings: LearnSettings) -> Program:
    """Infer the program that made these recordings; they are of one kind and usable."""
    observations, places = _observed(recordings, settings)
    firsts = _firsts(observations, settings)
    parts = _parts(observations, settings, firsts)
    outcome, endings = learn_outcome(
        observations, parts.ended, parts.recovery, parts.order, parts.table
    )
    unawaited = learn_unawaited(observations, settings.clock_tolerance_ns)
    for_callees = lasts_for_callees(observations, settings.clock_tolerance_ns)
    operations = {
        op: _operation(parts, op)
        for op in (*parts.order.sequence, *parts.undoing)
        if op not in firsts
    }
    return Program(
        name=recordings[0].name,
        version=recordings[0].version,
        flows=len(recordings),
        set_aside=0,
        order=parts.order,
        places=places.names,
        firsts=firsts,
        operations=operations,
        abort=parts.abort,
        recovery=parts.recovery,
        cancels=parts.cancels,
        outlasting=learn_outlasting(observations, parts.ended, settings.clock_tolerance_ns),
        pooled=parts.pooled,
        outcome=outcome,
        outcomes_seen=endings,
        output=_output(parts),
        end_gaps=learn_end_waits(observations, unawaited, for_callees),
        unawaited=unawaited,
        lasts_for_callees=for_callees,
        think_ns=parts.waits.think_ns,
        pause_ns=parts.waits.pause_ns,
        support=support_of(observations, operations, parts.abort),
        declared=_declared_facts(parts),
    )


def _observed(
    recordings: Sequence[Recording], settings: LearnSettings
) -> tuple[list[Observation], Places]:
    """Group the recordings, with operations that stand at several places apart."""
    tolerance = settings.clock_tolerance_ns
    observations = [observe(recording) for recording in recordings]
    places = Places(twice=places_called_twice(observations))
    if places.twice:
        observations = [observe(recording, places, tolerance) for recording in recordings]
    order = _order(observations, settings)
    targets = fixed_targets(observations, _eaches(observations, order, settings))
    if targets:
        places = replace(places, targets=targets)
        observations = [observe(recording, places, tolerance) for recording in recordings]
        order = _order(observations, settings)
    for op, other in sorted(runs_beside(observations, order, tolerance).items()):
        apart = replace(places, beside={**places.beside, op: other})
        seen = [observe(recording, apart, tolerance) for recording in recordings]
        if _decided(seen, op, settings):
            observations, places = seen, apart
    return observations, places


def _decided(observations: Sequence[Observation], op: str, settings: LearnSettings) -> bool:
    """Whether what is known beforehand decides at which of its two places an operation runs."""
    order = _order(observations, settings)
    early, late = place_name(op, 1), place_name(op, 2)
    if early not in order.before:
        return False
    ran = [o for o in observations if early in o.nodes or late in o.nodes]
    table = tabulate(ran, order.sequence)
    columns = {ref: table.columns[ref] for ref in table.refs(order.before[early])}
    labels = [early in o.nodes for o in ran]
    tree = grow(columns, labels)
    most = max(sum(labels), len(labels) - sum(labels))
    return tree.right is not None and 2 * (len(labels) - tree.right) <= len(labels) - most


def _order(observations: Sequence[Observation], settings: LearnSettings) -> Order:
    forward, _ = classify(observations)
    return happens_before(observations, forward, settings.clock_tolerance_ns, settings.loss_share)


def _eaches(
    observations: Sequence[Observation], order: Order, settings: LearnSettings
) -> dict[str, tuple[Each, Binding]]:
    """Find the lists behind operations that ran under several keys."""
    eaches = {}
    for op in order.sequence:
        if any(len(o.nodes[op].instances) > 1 for o in observations if op in o.nodes):
            found = learn_each(
                observations,
                op,
                sorted(order.before[op]),
                settings.clock_tolerance_ns,
                settings.loss_share,
            )
            if found is not None:
                eaches[op] = found
    return eaches


def _firsts(
    observations: Sequence[Observation], settings: LearnSettings
) -> dict[str, tuple[str, ...]]:
    """Give recorded flows a node where the first of several calls is waited for."""
    order = _order(observations, settings)
    waits = learn_waits(observations, order, {})
    firsts = learn_firsts(observations, order, waits, settings.clock_tolerance_ns)
    add_firsts(observations, firsts)
    return firsts


def _parts(
    observations: list[Observation], settings: LearnSettings, firsts: Collection[str]
) -> _Parts:
    forward, undoing = classify(observations)
    order = happens_before(observations, forward, settings.clock_tolerance_ns, settings.loss_share)
    eaches = _eaches(observations, order, settings)
    chains, rounds = learn_chains(observations, order, eaches, settings.loss_share)
    if chains:
        inside = {(op, member) for op, chain in chains.items() for member in chain.members}
        order = happens_before(
            observations, forward, settings.clock_tolerance_ns, settings.loss_share, inside
        )
    table = tabulate(observations, (*order.sequence, *undoing))
    waits = learn_waits(
        observations, order, {op: each for op, (each, _) in eaches.items()}, chains, firsts
    )
    abort, ended = learn_abort(observations, order, table, waits.think_ns)
    recovery = learn_recovery(observations, undoing, order, table, settings.clock_tolerance_ns)
    cancels = learn_cancels(observations, settings.clock_tolerance_ns)
    repeats, pooled = learn_repeats(
        observations, order, _declared(observations), cut_short(observations, cancels)
    )
    hedges = {
        op: hedge
        for op in order.sequence
        if (
            hedge := learn_hedge(
                observations, op, order, waits.think_ns, settings.clock_tolerance_ns
            )
        )
    }
    guards = learn_guards(observations, order, table, ended, abort.branch_only, waits)
    return _Parts(
        observations, settings, forward, undoing, order, table, waits, eaches, abort, ended,
        recovery, repeats, pooled, guards, cancels, hedges, chains, rounds,
    )  # fmt: skip


def classify(observations: Sequence[Observation]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Part operations into those of the way forward and those that run after an abort."""
    ops: set[str] = set()
    in_good: set[str] = set()
    roles: dict[str, set[str]] = {}
    for observation in observations:
        ops.update(observation.nodes)
        if observation.good:
            in_good.update(observation.nodes)
        for step in observation.recording.steps:
            if step.role is not None:
                roles.setdefault(step.op, set()).add(step.role)
    undoing = set()
    for op in sorted(ops - in_good):
        known = roles.get(base_name(op), set())
        if known == {"compensation"} or (not known and in_good):
            undoing.add(op)
    # A step without a role before which a known forward step still starts is no recovery.
    for op in sorted(undoing):
        if roles.get(base_name(op)) == {"compensation"}:
            continue
        if any(
            op in o.nodes
            and any(n.start > o.nodes[op].end for x, n in o.nodes.items() if x not in undoing)
            for o in observations
        ):
            undoing.discard(op)
    return tuple(sorted(ops - undoing)), tuple(sorted(undoing))


def _declared(observations: Sequence[Observation]) -> dict[str, RecordedStep]:
    """Give per operation a step that declares its call settings; the first recording wins."""
    found: dict[str, RecordedStep] = {}
    for observation in observations:
        for step in observation.recording.steps:
            if step.max_attempts is not None or step.backoff_initial_ms is not None:
                found.setdefault(step.op, step)
    return found


def _declared_facts(parts: _Parts) -> tuple[str, ...]:
    facts = []
    for op, repeat in sorted(parts.repeats.items()):
        if repeat.attempts_max is not None:
            facts.append(f"{op}: at most {repeat.attempts_max} attempts")
        if repeat.delay is not None and repeat.delay.declared:
            facts.append(f"{op}: backoff")
    facts.extend(
        f"{rule.op}: compensates {rule.source}" for rule in parts.recovery.rules if rule.declared
    )
    return tuple(facts)


def _operation(parts: _Parts, op: str) -> Operation:
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


def _output(parts: _Parts) -> Request:
    samples = [(Scope(o.view), o.recording.output) for o in parts.observations if o.good]
    return bind_leaves(samples, parts.order.sequence, parts.settings.loss_share)
