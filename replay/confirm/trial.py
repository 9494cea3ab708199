"""In how many flows the symptom goes with each service as before, and what that says of one."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from analyzer.statistics.proportions import newcombe, wilson
from replay.confirm.nested import time_below
from replay.confirm.symptoms import SLOW, SYMPTOMS, Sign, signs_of
from replay.confirm.world import World, callee_of, hash_of, operations_of
from replay.engine import Folds
from replay.recording import Recording
from replay.run import Run
from replay.settings import ReplaySettings
from store.conclusions import Finding, Flow, StepOutcome

DEFAULTS = ReplaySettings()
FLOWS_MAX = 120
"""Of more flows with the symptom, those with the smallest hashes of their ids are replayed."""
FLOWS_MIN = 10
DONORS_MIN = 10
GONE_MIN = 0.5
"""The lower end of the interval of the share in which the symptom goes must reach this."""
DEEPER_MIN = 0.5
# A run with one of these rests on what no recording shows.
_UNSURE = ("novel_status", "unseen_attempt_state", "beyond_seen_attempts", "missing_answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """One thing put back to what it was before. `kind` is service or version.

    In `gone` of `n` flows the symptom went; `unsure` more runs rest on what was never recorded and
    count as not gone. `low` to `high` is the Wilson interval (95 %) of the share. `deeper` says
    that what it called explains it; `outer` is the service whose calls its own lie inside of, where
    time is the symptom: their recorded time hides what the swap does.
    """

    kind: str
    name: str
    gone: int
    n: int
    unsure: int
    low: float
    high: float
    deeper: str = ""
    outer: str = ""

    @property
    def share(self) -> float:
        """Of the flows, in how many the symptom went."""
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
    world = World(flows, start_ns, settings, programs)
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
    signs = signs_of(earlier, findings)
    return [
        trial
        for symptom, sign in signs.items()
        if (trial := _trial(world, inside, earlier, controls, symptom, sign)) is not None
    ]


def _trial(
    world: World,
    inside: Sequence[Recording],
    earlier: Sequence[Recording],
    controls: Mapping[str, Run],
    symptom: str,
    sign: Sign,
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
        swap = _swap(world, tested, kind, name, sign, controls)
        if symptom != SLOW or kind != "service":
            return swap
        below, outer = time_below(world, tested, name)
        return replace(swap, deeper=swap.deeper or below, outer=outer)

    services = sorted({callee_of(op) for r in tested for op in operations_of(r)})
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
        if swap.outer:
            hidden = f"{words}; but its time lies inside that of {swap.outer}, replayed as recorded"
            return Confirmation(status="untested", reason=hidden)
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


def _chosen(recordings: Sequence[Recording]) -> list[Recording]:
    ordered = sorted(recordings, key=lambda r: (hash_of(r.flow_id), r.flow_id))
    return ordered[:FLOWS_MAX]


def _swap(
    world: World,
    tested: Sequence[Recording],
    kind: str,
    name: str,
    sign: Sign,
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


def _deeper(world: World, tested: Sequence[Recording], name: str) -> str:
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
