"""Random sagas with planted faults of every kind, told as spans.

A `Plan` is drawn by hypothesis; `tell` writes it down with at most one fault of S1 to S14 and says
which spans are to be named for it. Steps run one after the other in stages, in parallel inside a
stage, may be tried several times, and may hold a nested saga of the callee's own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from hypothesis import strategies as st

from analyzer.assign import AssignSettings, assign
from analyzer.derive import DeriveSettings, derive
from analyzer.sagas import Coverage, verify
from store.conclusions import CheckResult, Flow
from store.model import Span
from tests.analyzer.builder import full_coverage
from tests.analyzer.sagas.telling import BUSY, OK, Answer, Telling

VERBS = (
    ("POST /reservations", "POST /releases"),
    ("POST /charges", "POST /refunds"),
    ("POST /bookings", "POST /bookings/cancel"),
    ("POST /accounts/provision", "POST /accounts/deprovision"),
)
FAULTS = tuple(f"S{number}" for number in range(1, 15))
COMMITTED = frozenset({"S6", "S12", "S13"})
"""Faults of flows that come to their pivot."""
CENTS = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One step to be done and, if the flow is given up, undone."""

    name: str
    verbs: tuple[str, str]
    amount: Decimal
    lasts: int
    retries: int
    undo_retries: int
    nested: bool = False

    @property
    def callee(self) -> str:
        """The service that does it."""
        return f"svc-{self.name}"

    def saga(self, saga_id: str) -> dict[str, str | Decimal]:
        """What step and compensation say of themselves alike."""
        return {
            "id": saga_id,
            "resource": f"{saga_id}/{self.name}",
            "amount": self.amount,
            "currency": "EUR",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a flow is to do. `aborts` says whether its pivot is refused."""

    stages: tuple[tuple[Work, ...], ...]
    aborts: bool
    retriable: int
    chosen: int
    """Which step a fault befalls, counted over all of them."""

    @property
    def works(self) -> list[Work]:
        """All steps."""
        return [work for stage in self.stages for work in stage]

    @property
    def victim(self) -> Work:
        """The step a fault befalls."""
        return self.works[self.chosen % len(self.works)]


@dataclass(slots=True)
class Told:
    """What was told: spans, and which of them are to be named for the fault planted."""

    spans: list[Span]
    blamed: frozenset[str] = frozenset()


@st.composite
def plans(draw: st.DrawFn, *, aborts: bool | None = None, stages_min: int = 1) -> Plan:
    """A plan; it always has two steps in sequence when asked for two stages."""
    widths = draw(st.lists(st.integers(1, 3), min_size=stages_min, max_size=3))
    count = 0
    stages = []
    for width in widths:
        stage = []
        for _ in range(width):
            stage.append(
                Work(
                    name=f"w{count}",
                    verbs=draw(st.sampled_from(VERBS)),
                    amount=draw(st.integers(200, 9_999)) * CENTS,
                    lasts=draw(st.integers(6, 30)),
                    retries=draw(st.integers(0, 2)),
                    undo_retries=draw(st.integers(0, 2)),
                    nested=draw(st.integers(0, 3)) == 0,
                )
            )
            count += 1
        stages.append(tuple(stage))
    return Plan(
        stages=tuple(stages),
        aborts=draw(st.booleans()) if aborts is None else aborts,
        retriable=draw(st.integers(0, 2)),
        chosen=draw(st.integers(0, 8)),
    )


def planted(fault: str) -> st.SearchStrategy[Plan]:
    """Plans in which a fault of this kind can happen."""
    return plans(aborts=fault not in COMMITTED, stages_min=2 if fault == "S3" else 1)


@dataclass(slots=True)
class Teller:
    """Writes one plan down."""

    plan: Plan
    fault: str | None
    out: Telling
    now: float = 10
    done: list[tuple[Work, Span]] = field(default_factory=list)
    inner: dict[str, list[tuple[Work, Span]]] = field(default_factory=dict)
    blamed: set[str] = field(default_factory=set)

    @property
    def saga_id(self) -> str:
        """The outer saga's id."""
        return f"saga-{self.out.number}"

    def tell(self) -> Told:
        """The whole flow."""
        for stage in self.plan.stages:
            self.stage(stage)
        if self.fault in ("S2", "S8", "S14"):
            self.unlucky()
        if self.fault == "S10":
            self.builds_on(*self.done[0])
        committed = self.fault not in ("S2", "S8", "S14") and self.pivot()
        undoing = self.plan.aborts or self.fault == "S6"
        if undoing:
            self.undo_all()
        elif committed or self.fault == "S13":
            self.retriables()
        self.out.status = "failed" if undoing else "completed"
        return Told(self.out.told(), frozenset(self.blamed))

    def stage(self, stage: Sequence[Work]) -> None:
        """Several steps begun one millisecond after the other, going on side by side."""
        ends = []
        for place, work in enumerate(stage):
            call, end = self.do(work, self.now + place)
            self.done.append((work, call))
            ends.append(end)
        self.now = max(ends) + 5

    def do(self, work: Work, start: float) -> tuple[Span, float]:
        """One step with its failed attempts; the call that went well, and its end."""
        changed = self.fault == "S11" and work is self.plan.victim
        retries = max(work.retries, 1) if changed else work.retries
        for attempt in range(retries):
            call = self.step(work, start, start + 3, answer=BUSY)
            start += 5 + attempt
            if changed:
                self.blamed.add(call.span_id)
        key = f"{work.name}-again" if changed else None
        end = start + work.lasts
        call = self.step(work, start, end, key=key)
        if changed:
            self.blamed.add(call.span_id)
        if work.nested:
            self.nest(work, call, start)
        return call, end

    def step(
        self,
        work: Work,
        start: float,
        end: float,
        *,
        answer: Answer = OK,
        key: str | None = None,
    ) -> Span:
        """One attempt of a step."""
        return self.out.call(
            work.callee, work.verbs[0], start, end, answer=answer, key=work.name,
            idempotency_key=key or f"{self.saga_id}:{work.name}",
            ref=f"ref-{self.out.number}-{work.name}",
            saga={"step": work.name, "role": "compensatable", **work.saga(self.saga_id)},
            request={"about": f"{self.saga_id}/{work.name}"},
        )  # fmt: skip

    def nest(self, work: Work, call: Span, start: float) -> None:
        """Two steps that the callee runs as a saga of its own."""
        inner_id = f"{self.saga_id}-{work.name}"
        for place in (0, 1):
            part = replace(work, name=f"{work.name}-{place}", nested=False)
            at = start + 1 + 2 * place
            made = self.out.call(
                part.callee, part.verbs[0], at, at + 1.5, service=work.callee,
                parent=self.out.servers[call.span_id], key=part.name,
                idempotency_key=f"{inner_id}:{part.name}", ref=f"ref-{self.out.number}-{part.name}",
                saga={"step": part.name, "role": "compensatable", **part.saga(inner_id)},
            )  # fmt: skip
            self.inner.setdefault(work.name, []).append((part, made))

    def unlucky(self) -> None:
        """One more step that was refused (S2), or timed out (S8, S14) and took effect."""
        work = replace(self.plan.victim, name="unlucky", nested=False, retries=0)
        answer = {
            "S2": Answer(status=402),
            "S8": Answer(error="timeout", at_callee=201, callee_end=self.now + 15),
            "S14": Answer(
                error="timeout", at_callee=201, callee_start=self.now + 70, callee_end=self.now + 80
            ),
        }[self.fault or ""]
        call = self.step(work, self.now, self.now + 10, answer=answer)
        self.blamed.add(call.span_id)
        self.now += 20
        if self.fault == "S14":
            undo = self.undo(work, call, self.now)
            self.blamed.add(undo.span_id)
            self.now += 70
        elif self.fault == "S2":
            self.done.append((work, call))

    def builds_on(self, work: Work, call: Span) -> None:
        """A saga of a callee's own that uses what this one made."""
        reader = replace(work, name="reader")
        outer = self.out.call(
            "svc-reader", "POST /shipments", self.now, self.now + 9, key="reader",
            idempotency_key="reader",
        )  # fmt: skip
        made = self.out.call(
            "svc-shelf", "POST /shelves", self.now + 1, self.now + 8, service="svc-reader",
            parent=self.out.servers[outer.span_id], key="shelf", idempotency_key="shelf",
            saga={"step": "shelve", "role": "retriable", **reader.saga("saga-reader")},
            request={"uses": f"ref-{self.out.number}-{work.name}"},
        )  # fmt: skip
        self.blamed |= {made.span_id, call.span_id}
        self.now += 15

    def pivot(self) -> bool:
        """The point of no return; whether it was passed."""
        refused = self.plan.aborts or self.fault == "S13"
        call = self.out.call(
            "approver", "POST /approvals", self.now, self.now + 8, key="approve",
            answer=Answer(status=409) if refused else OK, idempotency_key=f"{self.saga_id}:approve",
            ref=f"ref-{self.out.number}-approve",
            saga={"step": "approve", "role": "pivot", "id": self.saga_id},
        )  # fmt: skip
        if self.fault in ("S6", "S13"):
            self.blamed.add(call.span_id)
        self.now += 15
        return not refused

    def retriables(self) -> None:
        """Steps after the pivot, tried until they succeed."""
        lost = self.fault == "S12"
        for number in range(max(self.plan.retriable, int(lost))):
            for attempt in range(3):
                call = self.out.call(
                    "mailer", "POST /messages", self.now, self.now + 4, key=f"mail-{number}",
                    answer=OK if attempt == 2 and not (lost and number == 0) else BUSY,
                    idempotency_key=f"{self.saga_id}:mail-{number}",
                    saga={"step": f"mail-{number}", "role": "retriable", "id": self.saga_id},
                )  # fmt: skip
                if lost and number == 0:
                    self.blamed.add(call.span_id)
                self.now += 10

    def undo_all(self) -> None:
        """The steps undone, the last one first."""
        order = sorted(self.done, key=lambda pair: pair[1].start_ns, reverse=True)
        if self.fault == "S3":
            order = [order[-1], *order[:-1]]
            self.blamed |= {order[0][1].span_id}
        for place, (work, call) in enumerate(order):
            victim = work is self.plan.victim
            if self.fault == "S1" and victim:
                self.blamed.add(call.span_id)
                continue
            undo = self.undo(work, call, self.now)
            self.now += 40
            if self.fault == "S4" and victim:
                again = self.undo(work, call, self.now, key=f"{work.name}-twice", ref="twice")
                self.blamed |= {undo.span_id, again.span_id}
                self.now += 40
            if (self.fault in ("S7", "S9") and victim) or self.fault == "S6":
                self.blamed.add(undo.span_id)
            if self.fault == "S2" and work.name == "unlucky":
                self.blamed.add(undo.span_id)
            if self.fault == "S10" and work is self.done[0][0]:
                self.blamed.add(undo.span_id)
            if self.fault == "S5" and place == 0:
                self.late()

    def late(self) -> None:
        """A step begun though the undoing has begun."""
        work = replace(self.plan.victim, name="late", nested=False, retries=0)
        call, end = self.do(work, self.now)
        self.undo(work, call, end + 5)
        self.blamed.add(call.span_id)
        self.now = end + 45

    def undo(
        self, work: Work, call: Span, start: float, *, key: str | None = None, ref: str = "undo"
    ) -> Span:
        """A compensation with its failed attempts; the last call."""
        victim = work is self.plan.victim
        said = work.saga(self.saga_id)
        if self.fault == "S9" and victim:
            wrong = {"amount": work.amount - CENTS} if self.plan.chosen % 2 else {"resource": "x"}
            said |= wrong
        last = Answer(status=500) if self.fault == "S7" and victim else OK

        def attempt(at: float, answer: Answer) -> Span:
            return self.out.call(
                work.callee, work.verbs[1], at, at + 8, answer=answer, key=work.name,
                idempotency_key=key or f"{self.saga_id}:{work.name}:undo",
                ref=f"{ref}-{self.out.number}-{work.name}",
                saga={
                    "step": f"undo-{work.name}", "role": "compensation",
                    "compensates": call.span_id, **said,
                },
                request={"about": f"ref-{self.out.number}-{work.name}"},
            )  # fmt: skip

        for _ in range(work.undo_retries):
            attempt(start, BUSY)
            start += 10
        made = attempt(start, last)
        if last is OK:
            self.undo_inside(work, made, start)
        return made

    def undo_inside(self, work: Work, undo: Span, start: float) -> None:
        """The callee undoes its own saga, the last step first."""
        for place, (part, call) in enumerate(reversed(self.inner.pop(work.name, []))):
            at = start + 1 + 3 * place
            self.out.call(
                part.callee, part.verbs[1], at, at + 2, service=work.callee,
                parent=self.out.servers[undo.span_id], key=part.name,
                idempotency_key=f"{self.saga_id}:{part.name}:undo",
                ref=f"undo-{self.out.number}-{part.name}",
                saga={
                    "step": f"undo-{part.name}", "role": "compensation",
                    "compensates": call.span_id, **part.saga(f"{self.saga_id}-{work.name}"),
                },
            )  # fmt: skip


def tell(plan: Plan, fault: str | None = None, *, number: int = 1, offset: float = 0) -> Told:
    """A plan written down, with one fault or none."""
    return Teller(plan, fault, Telling(number=number, offset=offset)).tell()


def flows_of(spans: Iterable[Span]) -> list[Flow]:
    """The flows as they are derived."""
    rows = assign(list(spans), [], [], AssignSettings())
    return [derive(one, DeriveSettings()) for one in rows]


def judged(spans: Sequence[Span], coverage: Coverage | None = None) -> dict[str, CheckResult]:
    """What each check says of the only flow among the spans."""
    (flow,) = flows_of(spans)
    verdict = verify(flow, coverage or full_coverage(spans))
    return {result.check: result for result in verdict.checks}
