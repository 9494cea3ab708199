"""Recordings as the programs of their kind see them: in nodes, in an order, in loops.

In: recordings of one kind. Out: observations whose nodes stand for the places of the program.
"""

from collections.abc import Sequence
from dataclasses import replace

from replay.infer.binding import Binding
from replay.infer.each import Each, learn_each
from replay.infer.first_of import add_firsts, learn_firsts
from replay.infer.grow import grow
from replay.infer.order import Order, happens_before
from replay.infer.places import Places, fixed_targets, observe, places_called_twice, runs_beside
from replay.infer.settings import LearnSettings
from replay.infer.view import Observation, base_name, place_name, tabulate
from replay.infer.waits import learn_waits
from replay.recording import Recording


def observed(
    recordings: Sequence[Recording], settings: LearnSettings
) -> tuple[list[Observation], Places]:
    """Group the recordings, with operations that stand at several places apart."""
    tolerance = settings.clock_tolerance_ns
    observations = [observe(recording) for recording in recordings]
    places = Places(twice=places_called_twice(observations))
    if places.twice:
        observations = [observe(recording, places, tolerance) for recording in recordings]
    order = order_of(observations, settings)
    targets = fixed_targets(observations, eaches_of(observations, order, settings))
    if targets:
        places = replace(places, targets=targets)
        observations = [observe(recording, places, tolerance) for recording in recordings]
        order = order_of(observations, settings)
    for op, other in sorted(runs_beside(observations, order, tolerance).items()):
        apart = replace(places, beside={**places.beside, op: other})
        seen = [observe(recording, apart, tolerance) for recording in recordings]
        if _decided(seen, op, settings):
            observations, places = seen, apart
    return observations, places


def _decided(observations: Sequence[Observation], op: str, settings: LearnSettings) -> bool:
    """Whether what is known beforehand decides at which of its two places an operation runs."""
    order = order_of(observations, settings)
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


def order_of(observations: Sequence[Observation], settings: LearnSettings) -> Order:
    """Find which operations of the way forward always come before which."""
    forward, _ = classify(observations)
    return happens_before(observations, forward, settings.clock_tolerance_ns, settings.loss_share)


def eaches_of(
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


def add_moments(
    observations: Sequence[Observation], settings: LearnSettings
) -> dict[str, tuple[str, ...]]:
    """Give recorded flows a node where the first of several calls is waited for."""
    order = order_of(observations, settings)
    waits = learn_waits(observations, order, {})
    firsts = learn_firsts(observations, order, waits, settings.clock_tolerance_ns)
    add_firsts(observations, firsts)
    return firsts


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
