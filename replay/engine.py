"""Replays flows against programs made from other flows of their kind."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice
from typing import TypeAlias

from replay.deliveries import folded, unfolded
from replay.faults import named
from replay.infer.program import Program
from replay.interpret import Machine
from replay.judge import judge, result_of, unreplayable
from replay.match import Answers
from replay.recording import Recording, attempts_by_key, recording_of
from replay.scenario import Scenario
from replay.settings import ReplaySettings
from replay.train import Trained, train
from replay.whatif import what_if
from store.conclusions import Flow, ReplayResult
from store.errors import DataError, NotFoundError

Progress = Callable[[int, int], None]
# The program of a fold, its digest, and why it is not used ("" where it is).
Made: TypeAlias = tuple[Machine, str, str]
DEFAULTS = ReplaySettings()


def replay_flows(
    flows: Sequence[Flow],
    flow_ids: Sequence[str],
    *,
    scenario: Scenario | None = None,
    settings: ReplaySettings = DEFAULTS,
    progress: Progress | None = None,
) -> list[ReplayResult]:
    """Replay the named flows; all `flows` serve as recordings of their kinds.

    The flow under test is never among the flows its program was made from.
    """
    kinds = kinds_wanted(flows, flow_ids, scenario)
    recordings: dict[tuple[str, str], list[Recording]] = {}
    mine: dict[str, Recording] = {}
    for flow in flows:
        if (flow.name, flow.version) in kinds:
            recording = recording_of(flow)
            mine[flow.flow_id] = recording
            recordings.setdefault((flow.name, flow.version), []).append(recording)
    programs = {kind: Folds(made, settings) for kind, made in sorted(recordings.items())}
    results = []
    for done, flow_id in enumerate(flow_ids, 1):
        recording = mine[flow_id]
        kind = programs[recording.name, recording.version]
        successor = None
        if scenario is not None and scenario.version is not None:
            successor = programs.get((recording.name, scenario.version))
        results.append(
            replay_recording(
                recording, kind, scenario=scenario, settings=settings, successor=successor
            )
        )
        if progress is not None:
            progress(done, len(flow_ids))
    return results


def kinds_wanted(
    flows: Sequence[Flow], flow_ids: Sequence[str], scenario: Scenario | None
) -> set[tuple[str, str]]:
    """Give the kinds whose recordings a replay needs; an unknown flow or operation is an error."""
    by_id = {flow.flow_id: flow for flow in flows}
    _check_known(by_id, flow_ids)
    kinds = {(by_id[flow_id].name, by_id[flow_id].version) for flow_id in flow_ids}
    if scenario is not None:
        if scenario.version is not None:
            kinds |= {(name, scenario.version) for name, _ in kinds}
        mine = (recording_of(flow) for flow in flows if (flow.name, flow.version) in kinds)
        _check_operations(scenario, mine)
    return kinds


def _check_known(by_id: Mapping[str, Flow], flow_ids: Sequence[str]) -> None:
    unknown = [flow_id for flow_id in flow_ids if flow_id not in by_id]
    if unknown:
        near = get_close_matches(unknown[0], sorted(by_id), n=3, cutoff=0.4)
        hint = f"; nearest: {', '.join(near)}" if near else ""
        raise NotFoundError(f"no flow {unknown[0]!r} among {len(by_id)} flows{hint}")


def _check_operations(scenario: Scenario, recordings: Iterable[Recording]) -> None:
    known = {step.op for recording in recordings for step in recording.steps}
    meant = [change.operation for change in scenario.changes]
    meant += [answer.operation for answer in scenario.answers]
    unknown = [name for name in meant if not named(name, sorted(known))]
    if unknown:
        raise DataError(
            f"scenario {scenario.name!r} names {unknown[0]!r}, which these flows never call; "
            f"they call: {', '.join(sorted(known))}"
        )


@lru_cache(maxsize=100_000)
def fold_of(flow_id: str, folds: int) -> int:
    """Give the fold a flow is held out in: a function of its id alone."""
    return int.from_bytes(hashlib.sha256(flow_id.encode()).digest()[:8], "big") % folds


class Programs:
    """The programs of one kind that are known, one per fold; `count` recordings are usable.

    Needs no recordings, so it goes to other processes as it is.
    """

    def __init__(self, count: int, settings: ReplaySettings) -> None:
        self.count = count
        self.settings = settings
        self.made: dict[int, Made] = {}

    def keep(self, fold: int, trained: Trained, digest: str) -> None:
        """Make the program of a fold ready to run."""
        self.made[fold] = Machine(trained.program), digest, trained.refusal

    def refusal(self) -> str:
        """Say why no program can be made; "" when one can."""
        least = self.settings.control_flows_min
        if self.count < least:
            return f"too few: {self.count} usable recordings of this kind, {least} are needed"
        return ""

    def refusal_for(self, flow_id: str) -> str:
        """Say why this flow gets no program; "" when it gets one."""
        return self.refusal() or self.made_for(flow_id)[2]

    def machine_for(self, flow_id: str) -> tuple[Machine, str]:
        """Give the program that never saw this flow, and its digest."""
        return self.made_for(flow_id)[:2]

    def made_for(self, flow_id: str) -> Made:
        """Give the program that never saw this flow, its digest, and why it is not used or ""."""
        return self.made[fold_of(flow_id, self.settings.folds)]


class Folds(Programs):
    """The programs of one kind, one per fold, made from its recordings when first asked for."""

    def __init__(self, recordings: Iterable[Recording], settings: ReplaySettings) -> None:
        usable = [recording for recording in recordings if not recording.unusable]
        # Ordered by hash: which 300 of many are taken depends on ids only, not on arrival.
        self.usable = sorted(
            usable, key=lambda r: (hashlib.sha256(r.flow_id.encode()).digest(), r.flow_id)
        )
        super().__init__(len(usable), settings)

    def training(self, fold: int) -> list[Recording]:
        """Give the recordings from which the program of a fold is made."""
        folds, most = self.settings.folds, self.settings.training_flows_max
        return [*islice((r for r in self.usable if fold_of(r.flow_id, folds) != fold), most)]

    def made_for(self, flow_id: str) -> Made:
        fold = fold_of(flow_id, self.settings.folds)
        if fold not in self.made:
            trained = train(self.training(fold), self.settings)
            self.keep(fold, trained, trained.program.digest)
        return self.made[fold]


def replay_recording(
    recording: Recording,
    kind: Programs,
    *,
    scenario: Scenario | None = None,
    settings: ReplaySettings = DEFAULTS,
    baseline: Recording | None = None,
    successor: Programs | None = None,
) -> ReplayResult:
    """Replay one recording; with `baseline`, judge the run against that one instead. Under a
    scenario the control is judged against the recording nevertheless.

    `successor` holds the programs of the version that the scenario names.
    """
    flow_id, named = recording.flow_id, None if scenario is None else scenario.name
    refusal = recording.unusable or kind.refusal()
    if refusal:
        return unreplayable(flow_id, refusal, named)
    machine, digest, refusal = kind.made_for(flow_id)
    if refusal:
        return unreplayable(flow_id, refusal, named)
    against = None if scenario is not None else baseline
    result = _control(recording, machine, digest, settings, against)
    if scenario is None:
        return result
    other = None
    if successor is not None and not successor.refusal_for(recording.flow_id):
        other = successor.machine_for(recording.flow_id)[0]
    return what_if(result, machine, recording, scenario, settings, kind.count, other, baseline)


def _control(
    recording: Recording,
    machine: Machine,
    digest: str,
    settings: ReplaySettings,
    baseline: Recording | None = None,
) -> ReplayResult:
    """Replay without a change, each delivery for itself where a message came several times."""
    results = []
    for part in unfolded(recording) if baseline is None else [recording]:
        against = baseline or part
        recorded = attempts_by_key(part)
        run = machine.run(part.input, Answers.by_key(recorded))
        index = recorded if against is part else attempts_by_key(against)
        judged = judge(run, against, machine.program, settings, index)
        results.append(result_of(against, machine.program, digest, judged, settings))
    return folded(results)


def replay_with(
    recording: Recording,
    machine: Machine,
    *,
    recordings: int = 0,
    scenario: Scenario | None = None,
    settings: ReplaySettings = DEFAULTS,
) -> ReplayResult:
    """Replay a recording with a stored program that never saw it, as one out of a bundle.

    `recordings` of its kind were usable where the program was made.
    """
    if recording.unusable:
        name = None if scenario is None else scenario.name
        return unreplayable(recording.flow_id, recording.unusable, name)
    result = _control(recording, machine, machine.program.digest, settings)
    if scenario is None:
        return result
    return what_if(result, machine, recording, scenario, settings, recordings)


def program_of(
    flows: Sequence[Flow], flow_id: str, *, settings: ReplaySettings = DEFAULTS
) -> Program:
    """Give the program a flow is replayed with, made from the other flows of its kind."""
    by_id = {flow.flow_id: flow for flow in flows}
    _check_known(by_id, [flow_id])
    kind = (by_id[flow_id].name, by_id[flow_id].version)
    folds = Folds([recording_of(f) for f in flows if (f.name, f.version) == kind], settings)
    if folds.refusal():
        raise DataError(f"no program for flow {flow_id!r}: {folds.refusal()}")
    return folds.machine_for(flow_id)[0].program
