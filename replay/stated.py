"""An inferred program in words: what each operation waits for, when it runs, how often it is tried,
what ends the flow and what is then undone, each with the recordings it rests on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from replay.infer.cancel import CANCELLED
from replay.infer.program import Operation, Program
from replay.infer.repeat import Repeat
from replay.infer.timing import Span3
from replay.infer.tree import Leaf, Split, Test, Tree
from replay.infer.view import Ref
from replay.provenance import place_text, source_text

WAYS_SHOWN_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One rule of one operation; `seen` counts the recorded cases it rests on."""

    operation: str
    rule: str
    seen: int


def statements_of(program: Program) -> list[Statement]:
    """State a program, the way forward first, in its order."""
    forward = [op for op in program.order.sequence if op in program.operations]
    found = [one for op in forward for one in _forward(program, op, program.operations[op])]
    for rule in program.recovery.rules:
        undone = f"undoes {rule.source}" if rule.source else f"runs {rule.place} of what is undone"
        found.append(
            Statement(
                operation=rule.op, rule=f"once the flow is given up, {undone}{_when(rule.when)}",
                seen=rule.seen,
            )
        )  # fmt: skip
        found += _tried(rule.op, program.operations[rule.op].repeat)
    return found


def _forward(program: Program, op: str, made: Operation) -> Iterator[Statement]:
    def said(rule: str, seen: int) -> Statement:
        return Statement(operation=op, rule=rule, seen=seen)

    before = program.order.direct[op]
    waits = f"after {' and '.join(before)}" if before else "first"
    if made.hedge is None:
        yield said(f"runs {waits}{'' if made.guard is None else _when(made.guard)}", made.runs)
    else:
        wait = _milliseconds(made.hedge.wait)
        yield said(f"runs if {made.hedge.on} has no answer after {wait}", made.hedge.seen)
    if made.each is not None:
        of = place_text(made.each.source)
        many = f"{made.each.workers} at a time" if made.each.workers else "all at once"
        yield said(f"runs for each element of {of}, {many}", made.runs)
    if made.chain is not None:
        first = source_text(made.chain.first.expression)
        yield said(f"goes on from {first} by {made.chain.path} of its answer", made.chain.seen)
    yield from _tried(op, made.repeat)
    for other, hows in sorted(program.cancels[op].by.items()) if op in program.cancels else ():
        seen = program.cancels[op].seen
        yield said(f"is called off when {other} ends {' or '.join(hows)}", seen)
    for then, statuses in (
        ("is given up", program.abort.fatal.get(op, {})),
        ("goes on", program.abort.tolerated.get(op, {})),
    ):
        for status, seen in sorted(statuses.items()):
            if status != CANCELLED:
                yield said(f"answered {status} in the end, the flow {then}", seen)
    refusal = program.abort.refusals.get(op)
    if refusal is not None:
        yield said(f"ends the flow{_when(refusal)}", refusal.count)


def _tried(op: str, repeat: Repeat) -> Iterator[Statement]:
    delay = repeat.delay
    if delay is None or not repeat.most:
        return
    if delay.ref:
        wait = f"as long as {place_text(delay.ref)} says"
    else:
        waits = [f"{ns // 1_000_000} ms" for ns in delay.table_ns[: repeat.most]]
        wait = ", ".join(waits)
    most = f"up to {repeat.most + 1} times in all"
    rule = f"is tried again{_when(repeat.rule)}, {most}, after {wait}"
    yield Statement(operation=op, rule=rule, seen=delay.seen)


def _milliseconds(span: Span3) -> str:
    return f"{span.low // 1_000_000} to {span.high // 1_000_000} ms"


def _when(tree: Tree) -> str:
    """Write when a tree says yes; nothing where it always does."""
    ways = [" and ".join(_told(way)) for way in _ways(tree.root) if way]
    if not ways:
        return ""
    left = len(ways) - WAYS_SHOWN_MAX
    more = f" or in {left} other cases" if left > 0 else ""
    return f" if {' or '.join(ways[:WAYS_SHOWN_MAX])}{more}"


def _ways(node: Leaf | Split) -> Iterator[tuple[tuple[Test, bool], ...]]:
    """The ways to a yes, each a row of tests that hold on it or do not."""
    if isinstance(node, Leaf):
        if node.label is True:
            yield ()
        return
    for holds, next_ in ((True, node.yes), (False, node.no)):
        for way in _ways(next_):
            yield ((node.test, holds), *way)


def _told(way: Sequence[tuple[Test, bool]]) -> Iterator[str]:
    """What is one thing is no other, which goes without saying."""
    settled = {test.ref for test, holds in way if holds and test.kind == "equal"}
    for test, holds in way:
        if holds or test.kind != "equal" or test.ref not in settled:
            yield _asked(test, holds)


def _asked(test: Test, holds: bool) -> str:
    place = _place(test.ref)
    if test.kind == "present":
        return f"{place} is {'there' if holds else 'not there'}"
    if test.kind == "above":
        return f"{place} is {'above' if holds else 'at most'} {test.value}"
    return f"{place} is {'' if holds else 'not '}{test.value}"


def _place(ref: Ref) -> str:
    kind, *rest = ref
    if kind == "own" and rest:
        return "the attempt" if rest[0] == "number" else f"its {rest[0]}"
    if kind == "answer" and len(rest) == 1:
        return f"its {rest[0]}"
    if kind == "undone":
        return f"the {' '.join(rest)} of what is undone"
    return place_text(ref)
