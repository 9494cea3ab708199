"""How the commands of the code differ from those of the history: the strict comparison.

Temporal's own check compares kinds and names in the order of events, since code may change the rest
under a running workflow. This one also compares arguments, timeouts, retry policies, timers,
results, failures, and which workflow task issued each command, which shows concurrency.
Search attributes, headers, memos of children and summaries are not compared.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from replay.temporal.commands import ENDS, Command
from replay.temporal.fields import differences
from store.conclusions import Divergence
from store.model import JsonValue

DIVERGENCES_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The divergences in order, and the doubts: what could not be compared."""

    divergences: tuple[Divergence, ...]
    doubts: tuple[str, ...]


def compare(
    recorded: Sequence[Command],
    issued: Sequence[Command],
    *,
    reached: int | None = None,
    known: int | None = None,
) -> Difference:
    """Every difference, in the order recorded.

    `reached` is the last workflow task that ran, None when all did; what comes after is left out.
    `known` is the last one that a run can be held to which ended early: nothing after is missed.
    """
    if reached is not None:
        recorded = [one for one in recorded if one.task <= reached]
    local = [one for one in recorded if one.kind == "local_activity"]
    comparing = _Comparing(
        [one for one in recorded if one.kind != "local_activity"],
        [one for one in issued if one.kind != "local_activity"],
        tasks=not local,
        known=known,
    )
    comparing.run()
    if local:
        comparing.doubts.append(
            "local activities: neither their arguments nor which workflow task issued a command "
            "is compared"
        )
        if reached is None and known is None:
            comparing.local(local, [one for one in issued if one.kind == "local_activity"])
    return Difference(
        divergences=tuple(comparing.found[:DIVERGENCES_MAX]),
        doubts=tuple(dict.fromkeys(comparing.doubts)),
    )


class _Comparing:
    def __init__(
        self,
        recorded: Sequence[Command],
        issued: Sequence[Command],
        *,
        tasks: bool,
        known: int | None,
    ) -> None:
        self.recorded, self.issued, self.tasks, self.known = recorded, issued, tasks, known
        self.found: list[Divergence] = []
        self.doubts: list[str] = []
        self.timers: dict[str, str] = {}

    def run(self) -> None:
        """Walk both sides; what one alone has may be what the other has elsewhere."""
        pairs, alone, extra = _aligned(self.recorded, self.issued)
        moved = _moved(self.recorded, self.issued, alone, extra)
        ends = [at for at in alone if self.recorded[at].kind in ENDS]
        others = [at for at in extra if self.issued[at].kind in ENDS]
        placed: list[tuple[int, int, Command | None, Command | None, bool]] = []
        placed += [(at, 0, self.recorded[at], self.issued[to], False) for at, to in pairs]
        placed += [(at, 0, self.recorded[at], self.issued[to], True) for at, to in moved.items()]
        if ends and others:
            placed.append((ends[0], 0, self.recorded[ends[0]], self.issued[others[0]], False))
            alone.remove(ends[0])
            extra.remove(others[0])
        placed += [(at, 0, self.recorded[at], None, False) for at in alone if at not in moved]
        taken = set(moved.values())
        following = {to: at for at, to in pairs}
        for to in extra:
            if to not in taken:
                before = max((at for t, at in following.items() if t < to), default=-1)
                placed.append((before, 1 + to, None, self.issued[to], False))
        for _, _, left, right, shifted in sorted(placed, key=lambda one: one[:2]):
            self._judge(left, right, shifted)

    def _judge(self, left: Command | None, right: Command | None, moved: bool) -> None:
        if left is None and right is not None:
            if not (right.kind == "patch" and right.fields.get("deprecated")):
                self._add("extra_call", right, None, {"command": right.label}, line=right.line)
        elif left is not None and right is None:
            if self.known is not None and left.task > self.known:
                return
            if not (left.kind == "patch" and left.fields.get("deprecated")):
                self._add("missing_call", left, {"command": left.label}, None)
        elif left is not None and right is not None:
            self._both(left, right, moved)

    def _both(self, left: Command, right: Command, moved: bool) -> None:
        if left.kind != right.kind:
            told = [{"ends": ENDS[one.kind], **one.fields} for one in (left, right)]
            kind = "exception_changed" if "fail" in (left.kind, right.kind) else "result_changed"
            self._add(kind, left, told[0], told[1], line=right.line)
            return
        if moved:
            self._add("reordered", left, {"command": left.label}, {"command": right.label},
                      line=right.line)  # fmt: skip
        if left.kind == "timer":
            self.timers[left.name] = right.name
        if left.kind == "cancel_timer" and self.timers.get(left.name) != right.name:
            self._add("args_changed", left, left.name, right.name, path="timer", line=right.line)
        for one in differences(left, right):
            if one.unknown:
                self.doubts.append(f"{left.label} {one.path}: {one.unknown}")
                continue
            self._add(_kind(left, one.path), left, one.recorded, one.replayed,
                      path=one.path, line=right.line)  # fmt: skip
        # A driven command has no task where it was issued at a moment of its own.
        if self.tasks and not moved and right.task and left.task != right.task:
            self._add("concurrency_changed", left, f"workflow task {left.task}",
                      f"workflow task {right.task}", path="task", line=right.line)  # fmt: skip

    def local(self, recorded: Sequence[Command], issued: Sequence[Command]) -> None:
        """Compare local activities by their number: markers tell when they ended, not began."""
        by_number = {one.seq: one for one in issued}
        for left in sorted(recorded, key=lambda one: one.seq):
            right = by_number.pop(left.seq, None)
            if right is None or right.name != left.name:
                self._add("missing_call", left, {"command": left.label}, None)
                if right is not None:
                    self._add("extra_call", right, None, {"command": right.label}, line=right.line)
        for right in by_number.values():
            self.doubts.append(f"{right.label} left no marker: it may not have ended")

    def _add(
        self,
        kind: str,
        at: Command,
        recorded: JsonValue,
        replayed: JsonValue,
        *,
        path: str = "",
        line: str = "",
    ) -> None:
        place = at.place or (f"workflow task {at.task}" if at.task else "")
        step = f"{place} {at.label}".strip()
        self.found.append(
            Divergence(
                kind=kind, step_id=step, recorded=recorded, replayed=replayed, path=path, line=line
            )
        )


def _kind(command: Command, path: str) -> str:
    if path.split(".")[0].endswith("_timeout_ns"):
        return "timing_changed"
    if path.startswith("result"):
        return "result_changed"
    return "exception_changed" if path.startswith("failure") else "args_changed"


def _aligned(
    recorded: Sequence[Command], issued: Sequence[Command]
) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    """Pairs of the same command in the same order; what is left on either side."""
    matcher = SequenceMatcher(
        None, [one.key for one in recorded], [one.key for one in issued], autojunk=False
    )
    pairs = [
        (block.a + at, block.b + at)
        for block in matcher.get_matching_blocks()
        for at in range(block.size)
    ]
    left, right = {at for at, _ in pairs}, {to for _, to in pairs}
    return (
        pairs,
        [at for at in range(len(recorded)) if at not in left],
        [to for to in range(len(issued)) if to not in right],
    )


def _moved(
    recorded: Sequence[Command],
    issued: Sequence[Command],
    alone: Iterable[int],
    extra: Iterable[int],
) -> dict[int, int]:
    """What both sides have, in another place: recorded index by issued index."""
    free: dict[tuple[str, str], list[int]] = {}
    for to in extra:
        free.setdefault(issued[to].key, []).append(to)
    found = {}
    for at in alone:
        others = free.get(recorded[at].key)
        if others:
            found[at] = others.pop(0)
    return found
