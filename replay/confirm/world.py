"""Recorded flows with one thing put back to what it was before the incident."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from replay.change import donors_of
from replay.engine import Folds
from replay.infer.view import base_name
from replay.interpret import Machine
from replay.judge import judge
from replay.leaves import Scalar
from replay.match import Answer, Answers
from replay.recording import RecordedAttempt, Recording, recording_of
from replay.run import Run
from replay.settings import ReplaySettings
from replay.timeouts import MILLISECOND_NS, TIMEOUT
from store.conclusions import Flow


class World:
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
        self.donors = donors(self.earlier)
        self.before_it = versions_before(flows)
        self.runs: dict[tuple[str, str, str], Run | None] = {}

    def kind(self, name: str, version: str) -> Folds:
        """The programs of a kind of flow."""
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
            if not any(callee_of(op) == name for op in self.donors):
                return None
            machine = self.machine(recording)
        if machine is None:
            return None
        answers = Answers.of(recording, donors_of(machine.program))
        if kind == "service":
            answers.overrule = Before(self.donors, recording.flow_id, name).overrule
        return machine.run(recording.input, answers)

    def control(self, recording: Recording) -> Run | None:
        """The unchanged run, if it is like the recording."""
        machine = self.machine(recording)
        if machine is None:
            return None
        run = machine.run(recording.input, Answers.of(recording))
        judged = judge(run, recording, machine.program, self.settings)
        return run if judged.comparison.verdict in ("identical", "equivalent") else None


class Before:
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
        """The answer as it came before, if it is of this service."""
        name = base_name(op)
        lenders = self.donors.get(name, ())
        if callee_of(name) != self.service or not lenders:
            return answer
        self.asked[name] += 1
        place = hash_of(f"{self.flow_id}\n{name}\n{self.asked[name]}") % len(lenders)
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


def _echoed(donor: RecordedAttempt, attempt: RecordedAttempt) -> dict[str, Scalar]:
    """The donor's answer, with what it repeated of its own request taken from this one."""
    by_value: dict[str, Scalar] = {}
    for path, value in sorted(donor.request.items()):
        if isinstance(value, str) and value and path in attempt.request:
            by_value.setdefault(value, attempt.request[path])
    return {
        path: by_value.get(value, value) if isinstance(value, str) else value
        for path, value in donor.response.items()
    }


def versions_before(flows: Sequence[Flow]) -> Mapping[str, str]:
    """Each version of a kind with the one that first came before it."""
    first: dict[tuple[str, str], int] = {}
    for flow in flows:
        kind = (flow.name, flow.version)
        first[kind] = min(first.get(kind, flow.start_ns), flow.start_ns)
    ordered = sorted(first, key=lambda kind: (kind[0], first[kind], kind[1]))
    return {after[1]: before[1] for before, after in pairwise(ordered) if before[0] == after[0]}


def donors(earlier: Sequence[Recording]) -> Mapping[str, Sequence[RecordedAttempt]]:
    """All answers recorded before, by operation, in the order of flow ids."""
    donors: dict[str, list[RecordedAttempt]] = {}
    for recording in sorted(earlier, key=lambda r: r.flow_id):
        for step in recording.steps:
            if not step.local:
                donors.setdefault(step.op, []).extend(step.attempts)
    return donors


def hash_of(text: str) -> int:
    """A number that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def operations_of(recording: Recording) -> set[str]:
    """What a flow called outside itself."""
    return {step.op for step in recording.steps if not step.local}


def callee_of(op: str) -> str:
    """The service of an operation."""
    return op.partition(" ")[0]
