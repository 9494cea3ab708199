"""Tries whether a suspect caused an incident: its answers from before are swapped in.

Each service the affected flows called is swapped in turn, all else left as recorded, so that every
service is the placebo of all others. An intervention on the recorded flows, after Pearl's do().
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from analyzer.statistics.proportions import newcombe, wilson
from replay.change import donors_of
from replay.engine import Folds
from replay.infer.view import base_name
from replay.interpret import Machine
from replay.judge import judge
from replay.match import Answer, Answers
from replay.recording import RecordedAttempt, Recording, recording_of
from replay.run import Run
from replay.settings import ReplaySettings
from replay.timeouts import MILLISECOND_NS, TIMEOUT
from store.conclusions import Finding, Flow, FlowOutcome, StepOutcome, Verdict

DEFAULTS = ReplaySettings()
FLOWS_MAX = 120
"""Of more flows with the symptom, those with the smallest hashes of their ids are replayed."""
FLOWS_MIN = 10
DONORS_MIN = 10
GONE_MIN = 0.5
"""The lower end of the interval of the share in which the symptom goes must reach this."""
DEEPER_MIN = 0.5
BAD = frozenset(
    str(outcome)
    for outcome in (
        FlowOutcome.FAILED,
        FlowOutcome.COMPENSATED,
        FlowOutcome.PARTIALLY_COMPENSATED,
        FlowOutcome.COMPENSATION_FAILED,
    )
)
# A run with one of these rests on what no recording shows.
_UNSURE = ("novel_status", "unseen_attempt_state", "beyond_seen_attempts", "missing_answer")
DOUBLED = "duplicate_effect"
ACTED = "below_threshold_action"
LOCAL_KINDS = ("decision ", "gate ", "timer ", "message ")
SYMPTOMS: Mapping[str, str] = {
    "doubled": "something was done more than once",
    "acted": "the flow acted on a decision below its threshold",
    "repeated": "a call was asked again after no clear answer",
    "outcome": "the flow failed or had to be undone",
    "slow": "the flow took longer than nineteen in twenty did before",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """One thing put back to what it was before. `kind` is service or version.

    In `gone` of `n` flows the symptom went; `unsure` more runs rest on what was never recorded and
    count as not gone. `low` to `high` is the Wilson interval (95 %) of the share.
    """

    kind: str
    name: str
    gone: int
    n: int
    unsure: int
    low: float
    high: float
    deeper: str = ""

    @property
    def share(self) -> float:
        return self.gone / self.n if self.n else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """All swaps for one symptom. `during` and `before` are the shares of flows with it, as (hits,
    flows). `reason` says why nothing could be tried, "" when it could."""

    symptom: str
    during: tuple[int, int]
    before: tuple[int, int]
    swaps: Sequence[Swap]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What the trial says of one suspect: confirmed, refuted or untested, and why."""

    status: str
    reason: str


class _World:
    """The recordings of the incident and before it, and the programs of their kinds."""

    def __init__(
        self,
        flows: Sequence[Flow],
        start_ns: int,
        settings: ReplaySettings,
        programs: dict[tuple[str, str], Folds] | None,
    ) -> None:
        self.settings = settings
        self.recordings = {flow.flow_id: recording_of(flow) for flow in flows}
        self.flows = {flow.flow_id: flow for flow in flows}
        self.earlier = [
            self.recordings[flow.flow_id]
            for flow in flows
            if flow.end_ns is not None and flow.end_ns < start_ns
        ]
        self.programs = {} if programs is None else programs
        self.donors = _donors(self.earlier)
        self.before_it = _versions_before(flows)
        self.runs: dict[tuple[str, str, str], Run | None] = {}

    def kind(self, name: str, version: str) -> Folds:
        if (name, version) not in self.programs:
            mine = [r for r in self.recordings.values() if (r.name, r.version) == (name, version)]
            self.programs[name, version] = Folds(mine, self.settings)
        return self.programs[name, version]

    def machine(self, recording: Recording, version: str | None = None) -> Machine | None:
        """The program for a flow, made without it; None when there is none for what-ifs."""
        kind = self.kind(recording.name, recording.version if version is None else version)
        few = len(kind.usable) < self.settings.scenario_flows_min
        if recording.unusable or few or kind.refusal_for(recording.flow_id):
            return None
        return kind.machine_for(recording.flow_id)[0]

    def swapped(self, recording: Recording, kind: str, name: str) -> Run | None:
        """The run with one thing as before; None where nothing is known of before."""
        key = (recording.flow_id, kind, name)
        if key not in self.runs:
            self.runs[key] = self._swapped(recording, kind, name)
        return self.runs[key]

    def _swapped(self, recording: Recording, kind: str, name: str) -> Run | None:
        if kind == "version":
            if recording.version != name:
                return None
            machine = self.machine(recording, self.before_it.get(name))
        else:
            if not any(_callee(op) == name for op in self.donors):
                return None
            machine = self.machine(recording)
        if machine is None:
            return None
        answers = Answers.of(recording, donors_of(machine.program))
        if kind == "service":
            answers.overrule = _Before(self.donors, recording.flow_id, name).overrule
        return machine.run(recording.input, answers)

    def control(self, recording: Recording) -> Run | None:
        """The unchanged run, if it is like the recording."""
        machine = self.machine(recording)
        if machine is None:
            return None
        run = machine.run(recording.input, Answers.of(recording))
        judged = judge(run, recording, machine.program, self.settings)
        return run if judged.comparison.verdict in ("identical", "equivalent") else None


def confirm(
    flows: Sequence[Flow],
    *,
    start_ns: int,
    end_ns: int,
    findings: Sequence[Finding] = (),
    settings: ReplaySettings = DEFAULTS,
    programs: dict[tuple[str, str], Folds] | None = None,
) -> list[Trial]:
    """Swap each service the flows of a window called back to its answers from before it.

    One trial for each symptom the flows of the window have more often than those before, or that
    `findings` name. `programs` may hold programs made already; those made here are added.
    """
    world = _World(flows, start_ns, settings, programs)
    inside = [
        world.recordings[flow.flow_id]
        for flow in sorted(flows, key=lambda flow: flow.flow_id)
        if start_ns <= flow.start_ns <= end_ns
    ]
    names = {recording.name for recording in inside}
    earlier = [r for r in world.earlier if r.name in names and not r.unusable]
    if len(earlier) < DONORS_MIN:
        reason = f"{len(earlier)} flows ended before the incident, {DONORS_MIN} are needed"
        return [_untried(reason)]
    controls: dict[str, Run] = {}
    for recording in inside:
        run = world.control(recording)
        if run is not None:
            controls[recording.flow_id] = run
    if not controls:
        least = settings.scenario_flows_min
        return [
            _untried(
                f"none of {len(inside)} flows of the window replays as recorded with a program of "
                f"{least} recordings or more"
            )
        ]
    signs = _signs(earlier, findings)
    return [
        trial
        for symptom, sign in signs.items()
        if (trial := _trial(world, inside, earlier, controls, symptom, sign)) is not None
    ]


def _trial(
    world: _World,
    inside: Sequence[Recording],
    earlier: Sequence[Recording],
    controls: Mapping[str, Run],
    symptom: str,
    sign: "_Sign",
) -> Trial | None:
    usable = [recording for recording in inside if not recording.unusable]
    during = (sum(map(sign.of_recording, usable)), len(usable))
    before = (sum(map(sign.of_recording, earlier)), len(earlier))
    gap = newcombe(*during, *before)
    if gap is None or gap.low <= 0:
        return None  # no more of it than before: not what this incident is about
    shown = [
        recording
        for recording in usable
        if recording.flow_id in controls
        and sign.of_recording(recording)
        and sign.of_run(recording, controls[recording.flow_id], controls[recording.flow_id])
    ]
    if len(shown) < FLOWS_MIN:
        return _untried(
            f"{len(shown)} flows replay as recorded and show the symptom "
            f"({SYMPTOMS[symptom]}); {FLOWS_MIN} are needed",
            symptom,
            during,
            before,
        )
    tested = _chosen(shown)

    def swap(kind: str, name: str) -> Swap:
        return _swap(world, tested, kind, name, sign, controls)

    services = sorted({_callee(op) for r in tested for op in _operations(r)})
    versions = sorted({r.version for r in tested} & world.before_it.keys())
    return Trial(
        symptom=symptom,
        during=during,
        before=before,
        swaps=(
            *(swap("service", name) for name in services),
            *(swap("version", version) for version in versions),
        ),
    )


def judged(trials: Sequence[Trial], kind: str, name: str) -> Confirmation:
    """What the trials say of one suspect: confirmed by one of them, refuted by all, else untested.
    Every other service is its placebo."""
    tried = [
        trial
        for trial in trials
        if any((one.kind, one.name) == (kind, name) and one.n for one in trial.swaps)
    ]
    found = [_judged(trial, kind, name) for trial in tried or trials]
    for status in ("confirmed", "untested", "refuted"):
        for one in found:
            if one.status == status:
                return one
    return Confirmation(
        status="untested", reason="the flows of the window have no symptom more often than before"
    )


def _judged(trial: Trial, kind: str, name: str) -> Confirmation:
    if trial.reason:
        return Confirmation(status="untested", reason=trial.reason)
    swap = next((one for one in trial.swaps if (one.kind, one.name) == (kind, name)), None)
    if swap is None or swap.n == 0:
        return Confirmation(
            status="untested", reason=f"nothing recorded before can stand in for {kind} {name}"
        )
    words = (
        f"with {kind} {name} as before, the symptom ({SYMPTOMS[trial.symptom]}) goes in "
        f"{swap.gone} of {swap.n} flows ({swap.low:.0%} to {swap.high:.0%})"
    )
    placebos = [one for one in trial.swaps if one.kind == "service" and one.name != name and one.n]
    best = max(placebos, key=lambda one: (one.share, one.name), default=None)
    if (swap.gone + swap.unsure) / swap.n < GONE_MIN and swap.high < GONE_MIN:
        return Confirmation(status="refuted", reason=words)
    if swap.low < GONE_MIN:
        doubt = f"; {swap.unsure} more runs rest on what was never recorded" if swap.unsure else ""
        return Confirmation(status="untested", reason=f"{words}: no clear answer{doubt}")
    if best is not None and not _clearly_more(swap, best):
        words += f"; but with {best.name} as before it goes in {best.gone} of {best.n} too"
        return Confirmation(status="untested", reason=words)
    if swap.deeper:
        return Confirmation(status="refuted", reason=f"{words}; but {swap.deeper}")
    if best is not None:
        words += (
            f"; of {len(placebos)} placebo swaps the best, {best.name}, does it in {best.gone} "
            f"of {best.n}"
        )
    return Confirmation(status="confirmed", reason=words)


def _clearly_more(swap: Swap, placebo: Swap) -> bool:
    gap = newcombe(swap.gone, swap.n, placebo.gone, placebo.n)
    return gap is not None and gap.low > 0


def _untried(
    reason: str,
    symptom: str = "",
    during: tuple[int, int] = (0, 0),
    before: tuple[int, int] = (0, 0),
) -> Trial:
    return Trial(symptom=symptom, during=during, before=before, swaps=(), reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sign:
    """How a symptom is seen in a recording, and in a run beside the control run of the flow.

    `early` says that what comes later in the run does not matter, so doubts about it do not either.
    """

    of_recording: Callable[[Recording], bool]
    of_run: Callable[[Recording, Run, Run], bool]
    early: bool = False


def _signs(earlier: Sequence[Recording], findings: Sequence[Finding]) -> Mapping[str, _Sign]:
    durations = sorted(recording.duration_ns for recording in earlier)
    limit = durations[(len(durations) - 1) * 19 // 20]
    doubled = _flows_of(findings, DOUBLED)
    acted = _flows_of(findings, ACTED)
    return {
        "doubled": _Sign(
            of_recording=lambda recording: recording.flow_id in doubled,
            of_run=lambda recording, run, control: _twice(run),
        ),
        "acted": _Sign(
            of_recording=lambda recording: recording.flow_id in acted,
            of_run=lambda recording, run, control: (
                _after_decision(recording, run) == _after_decision(recording, control)
            ),
            early=True,
        ),
        "repeated": _Sign(
            of_recording=lambda recording: any(
                len(step.attempts) > 1 and step.undoes is None for step in recording.steps
            ),
            of_run=lambda recording, run, control: any(
                not call.first and not call.recovery for call in run.calls
            ),
        ),
        "outcome": _Sign(
            of_recording=lambda recording: recording.outcome in BAD,
            of_run=lambda recording, run, control: run.outcome in BAD,
        ),
        "slow": _Sign(
            of_recording=lambda recording: recording.duration_ns > limit,
            of_run=lambda recording, run, control: run.end > limit,
        ),
    }


def _flows_of(findings: Sequence[Finding], detector: str) -> frozenset[str]:
    return frozenset(
        finding.flow_id
        for finding in findings
        if finding.detector == detector
        and finding.verdict is Verdict.VIOLATION
        and finding.flow_id is not None
    )


def _twice(run: Run) -> bool:
    """Whether an operation was asked again after a call that may have had its effect."""
    asked: Counter[tuple[str, str]] = Counter()
    for call in sorted(run.calls, key=lambda call: (call.start, call.place, call.attempt)):
        if not call.recovery:
            place = (base_name(call.op).partition(" ")[2], call.key)
            if asked[place]:
                return True
            asked[place] += call.status in (TIMEOUT, "ok")
    return False


def _after_decision(recording: Recording, run: Run) -> str:
    """The first call to another service after the flow's first decision; "" when there is none."""
    decisions = {step.op for step in recording.steps if step.kind == "decision"}
    seen = False
    for call in sorted(run.calls, key=lambda call: (call.start, call.place, call.attempt)):
        name = base_name(call.op)
        if name in decisions:
            seen = True
        elif seen and " " in name and not name.startswith(LOCAL_KINDS):
            return name
    return ""


def _chosen(recordings: Sequence[Recording]) -> list[Recording]:
    ordered = sorted(recordings, key=lambda r: (_hash(r.flow_id), r.flow_id))
    return ordered[:FLOWS_MAX]


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _operations(recording: Recording) -> set[str]:
    return {step.op for step in recording.steps if not step.local}


def _callee(op: str) -> str:
    return op.partition(" ")[0]


def _versions_before(flows: Sequence[Flow]) -> Mapping[str, str]:
    """Each version of a kind with the one that first came before it."""
    first: dict[tuple[str, str], int] = {}
    for flow in flows:
        kind = (flow.name, flow.version)
        first[kind] = min(first.get(kind, flow.start_ns), flow.start_ns)
    ordered = sorted(first, key=lambda kind: (kind[0], first[kind], kind[1]))
    return {after[1]: before[1] for before, after in pairwise(ordered) if before[0] == after[0]}


def _donors(earlier: Sequence[Recording]) -> Mapping[str, Sequence[RecordedAttempt]]:
    """All answers recorded before, by operation, in the order of flow ids."""
    donors: dict[str, list[RecordedAttempt]] = {}
    for recording in sorted(earlier, key=lambda r: r.flow_id):
        for step in recording.steps:
            if not step.local:
                donors.setdefault(step.op, []).extend(step.attempts)
    return donors


def _swap(
    world: _World,
    tested: Sequence[Recording],
    kind: str,
    name: str,
    sign: _Sign,
    controls: Mapping[str, Run],
) -> Swap:
    gone = n = unsure = 0
    for recording in tested:
        run = world.swapped(recording, kind, name)
        if run is None:
            continue
        n += 1
        if not sign.early and any(flag.startswith(_UNSURE) for flag in run.flags):
            unsure += 1
        elif not sign.of_run(recording, run, controls[recording.flow_id]):
            gone += 1
    interval = wilson(gone, n)
    return Swap(
        kind=kind,
        name=name,
        gone=gone,
        n=n,
        unsure=unsure,
        low=0.0 if interval is None else interval.low,
        high=1.0 if interval is None else interval.high,
        deeper=_deeper(world, tested, name) if kind == "service" else "",
    )


class _Before:
    """Gives every answer of one service as it came before the incident.

    Which answer is lent depends on the flow, the operation and the count alone. What a donor
    repeated of its own request is taken from the request at hand.
    """

    def __init__(
        self, donors: Mapping[str, Sequence[RecordedAttempt]], flow_id: str, service: str
    ) -> None:
        self.donors = donors
        self.flow_id = flow_id
        self.service = service
        self.asked: Counter[str] = Counter()

    def overrule(self, op: str, attempt: RecordedAttempt | None, answer: Answer) -> Answer:
        name = base_name(op)
        lenders = self.donors.get(name, ())
        if _callee(name) != self.service or not lenders:
            return answer
        self.asked[name] += 1
        place = _hash(f"{self.flow_id}\n{name}\n{self.asked[name]}") % len(lenders)
        donor = lenders[place]
        status, wait = donor.status, donor.latency_ns
        response = dict(donor.response)
        if attempt is not None:
            response = _echoed(donor, attempt)
            limit = None if attempt.timeout_ms is None else attempt.timeout_ms * MILLISECOND_NS
            if limit is not None and wait > limit:
                status, wait, response = TIMEOUT, limit, {}
        return Answer(
            status, response, wait, wait, wait, answer.rung, donor.breaker_state,
            donor.callee_outcome, "an answer from before the incident",
        )  # fmt: skip


def _echoed(donor: RecordedAttempt, attempt: RecordedAttempt) -> dict[str, object]:
    by_value = {}
    for path, value in sorted(donor.request.items()):
        if isinstance(value, str) and value and path in attempt.request:
            by_value.setdefault(value, attempt.request[path])
    return {
        path: by_value.get(value, value) if isinstance(value, str) else value
        for path, value in donor.response.items()
    }


def _deeper(world: _World, tested: Sequence[Recording], name: str) -> str:
    """Whether failures of a service come with failures of those it called itself."""
    failed = deeper = 0
    below: Counter[str] = Counter()
    for recording in tested:
        flow = world.flows[recording.flow_id]
        inner: dict[str, list[str]] = {}
        for step in flow.steps:
            if step.parent_step_id is not None and _bad(step.outcome):
                inner.setdefault(step.parent_step_id, []).append(step.callee or step.service)
        for step in flow.steps:
            if step.callee == name and any(_bad(attempt.outcome) for attempt in step.attempts):
                failed += 1
                deeper += step.step_id in inner
                below.update(set(inner.get(step.step_id, ())) - {name})
    if failed < FLOWS_MIN or deeper / failed < DEEPER_MIN or not below:
        return ""
    service = min(below, key=lambda one: (-below[one], one))
    return f"in {deeper} of its {failed} failed calls {service} failed below it"


def _bad(outcome: StepOutcome) -> bool:
    return outcome in (StepOutcome.ERROR, StepOutcome.TIMEOUT)
