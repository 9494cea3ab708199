"""A flow kind's program from its recordings."""

from collections.abc import Collection, Sequence

from replay.infer.abort import learn_abort
from replay.infer.cancel import cut_short, learn_cancels, learn_outlasting
from replay.infer.chain import learn_chains
from replay.infer.grouping import add_moments, classify, eaches_of, observed
from replay.infer.guards import learn_guards
from replay.infer.hedge import learn_hedge
from replay.infer.operation import Parts, operation_of, output_of
from replay.infer.order import happens_before
from replay.infer.outcome import learn_outcome
from replay.infer.program import Program
from replay.infer.recovery import learn_recovery
from replay.infer.repeat import learn_repeats
from replay.infer.settings import LearnSettings
from replay.infer.support import support_of
from replay.infer.view import Observation, tabulate
from replay.infer.waits import lasts_for_callees, learn_end_waits, learn_unawaited, learn_waits
from replay.recording import RecordedStep, Recording


def learn(recordings: Sequence[Recording], settings: LearnSettings) -> Program:
    """Infer the program that made these recordings; they are of one kind and usable."""
    observations, places = observed(recordings, settings)
    firsts = add_moments(observations, settings)
    parts = _parts(observations, settings, firsts)
    outcome, endings = learn_outcome(
        observations, parts.ended, parts.recovery, parts.order, parts.table
    )
    unawaited = learn_unawaited(observations, settings.clock_tolerance_ns)
    for_callees = lasts_for_callees(observations, settings.clock_tolerance_ns)
    operations = {
        op: operation_of(parts, op)
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
        output=output_of(parts),
        end_gaps=learn_end_waits(observations, unawaited, for_callees),
        unawaited=unawaited,
        lasts_for_callees=for_callees,
        think_ns=parts.waits.think_ns,
        pause_ns=parts.waits.pause_ns,
        support=support_of(observations, operations, parts.abort),
        declared=_declared_facts(parts),
    )


def _parts(
    observations: list[Observation], settings: LearnSettings, firsts: Collection[str]
) -> Parts:
    forward, undoing = classify(observations)
    order = happens_before(observations, forward, settings.clock_tolerance_ns, settings.loss_share)
    eaches = eaches_of(observations, order, settings)
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
    return Parts(
        observations, settings, forward, undoing, order, table, waits, eaches, abort, ended,
        recovery, repeats, pooled, guards, cancels, hedges, chains, rounds,
    )  # fmt: skip


def _declared(observations: Sequence[Observation]) -> dict[str, RecordedStep]:
    """Give per operation a step that declares its call settings; the first recording wins."""
    found: dict[str, RecordedStep] = {}
    for observation in observations:
        for step in observation.recording.steps:
            if step.max_attempts is not None or step.backoff_initial_ms is not None:
                found.setdefault(step.op, step)
    return found


def _declared_facts(parts: Parts) -> tuple[str, ...]:
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
