"""Replay: flows a second, matched requests a second, memory over many replays.

Of the sample incident `payment-brownout` (600 flows of three kinds, 15 programs): how long making
the programs takes, then replaying every flow with a program that never saw it, then replaying it
under the sample's what-if. `engine` is all that a caller of `replay_flows` pays for a flow (run,
comparison with the recording, digest, result), `run` the interpreter alone. The yardstick is
decoding the same recordings from JSON with the standard library. Matching is measured on one
recording of 300 answers: by key, by equal request, by request without fresh ids, and by likeness;
vcrpy's cassette, where it is installed, answers the same requests beside.

Run on 2 vCPU Xeon (KVM), 24 GiB, Python 3.11. On a busy machine compare the CPU columns.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

# Python looks into this folder first, where files bear the names of packages: last is right.
sys.path.sort(key=str(Path(__file__).parent).__eq__)

from benchmarks.lib.measuring import SAMPLE, Spent, machine, memory_mb, spent, stored_sample, table
from replay.digest import event_log_digest
from replay.engine import Folds, replay_recording
from replay.infer.binding import Request
from replay.judge import judge
from replay.ladder import Ladder
from replay.leaves import Leaves
from replay.match import Answers
from replay.noise import Noise
from replay.recording import RecordedAttempt, RecordedStep, Recording, recording_of, to_json
from replay.scenario import Scenario, load_scenario
from replay.settings import ReplaySettings
from store.conclusions import Flow
from store.read import read_flows

SCENARIO = Path(__file__).parents[1] / "retrospan" / "scenarios" / f"{SAMPLE}.yaml"
RUNS = 3
ENTRIES = 300
FRESH = "0b9d0f0e-5c1f-4f0a-9d35-0a35a3d3f8c1"
NOTHING_BOUND = Request(bound={}, noise=())

Row = tuple[object, ...]


class Kinds:
    """The recordings of the sample with the programs made from them."""

    def __init__(self, flows: Sequence[Flow]) -> None:
        self.settings = ReplaySettings()
        self.recordings = [recording_of(flow) for flow in flows]
        self.folds: dict[tuple[str, str], Folds] = {}

    def make(self) -> None:
        """Make every program that a replay of all flows needs."""
        by_kind: dict[tuple[str, str], list[Recording]] = {}
        for recording in self.recordings:
            by_kind.setdefault((recording.name, recording.version), []).append(recording)
        self.folds = {kind: Folds(mine, self.settings) for kind, mine in by_kind.items()}
        for recording in self.recordings:
            self.of(recording).machine_for(recording.flow_id)

    def of(self, recording: Recording) -> Folds:
        return self.folds[recording.name, recording.version]

    def programs(self) -> int:
        return sum(len(folds.made) for folds in self.folds.values())

    def replay(self, scenario: Scenario | None = None) -> Counter[str]:
        """Every flow once; verdicts with claims, counted."""
        told: Counter[str] = Counter()
        for recording in self.recordings:
            result = replay_recording(
                recording, self.of(recording), scenario=scenario, settings=self.settings
            )
            told[result.verdict if scenario is None else f"claim {result.claim}"] += 1
        return told

    def run(self) -> None:
        """Every flow once, the interpreter alone."""
        for recording in self.recordings:
            machine_, _ = self.of(recording).machine_for(recording.flow_id)
            machine_.run(recording.input, Answers.of(recording))


def median(work: Callable[[], object], runs: int = RUNS) -> Spent:
    """The middle one of several runs, by CPU."""
    taken = []
    for _ in range(runs):
        with spent() as one:
            work()
        taken.append(one)
    return Spent(
        wall=statistics.median(one.wall for one in taken),
        cpu=statistics.median(one.cpu for one in taken),
    )


def per_second(name: str, count: int, took: Spent, yardstick: Spent | None = None) -> Row:
    ratio = "" if yardstick is None else f"{took.cpu / yardstick.cpu:.1f}"
    return (name, count, took.wall, took.cpu, count / took.wall, count / took.cpu, ratio)


def speeds(kinds: Kinds) -> None:
    """Making programs, control replays, what-ifs; beside decoding the same flows."""
    flows = len(kinds.recordings)
    documents = [to_json(recording) for recording in kinds.recordings]
    with spent() as inferred:
        kinds.make()
    scenario = load_scenario(SCENARIO)
    claims = kinds.replay(scenario)  # also makes the changed programs, once per program
    decode = median(lambda: [json.loads(document) for document in documents])
    control = median(kinds.replay)
    what_if = median(lambda: kinds.replay(scenario))
    size = sum(map(len, documents)) / flows
    print(f"\n{flows} flows, {kinds.programs()} programs, {size:,.0f} bytes of JSON a flow")
    table(
        ("work", "flows", "wall s", "CPU s", "flows/s", "flows/CPU s", "× JSON decode (CPU)"),
        [
            per_second("JSON decode (yardstick)", flows, decode, decode),
            per_second("make the programs (once a kind)", flows, inferred, decode),
            per_second("control replay: run", flows, median(kinds.run), decode),
            per_second("control replay: engine", flows, control, decode),
            per_second("what-if, its control included", flows, what_if, decode),
        ],
    )
    stages(kinds, flows)
    print(f"verdicts: {dict(sorted(kinds.replay().items()))}; {dict(sorted(claims.items()))}")


def stages(kinds: Kinds, flows: int) -> None:
    """Where the time of a control replay goes."""
    settings, recordings = kinds.settings, kinds.recordings
    machines = [kinds.of(one).machine_for(one.flow_id)[0] for one in recordings]
    pairs = list(zip(machines, recordings, strict=True))
    runs = [(made, made.run(one.input, Answers.of(one)), one) for made, one in pairs]
    logs = [run.events() for _, run, _ in runs]
    rows = [
        ("answers sorted by key", median(lambda: [Answers.of(one) for one in recordings])),
        ("answers and run", median(kinds.run)),
        ("run compared, logged, digested", median(
            lambda: [judge(run, one, made.program, settings) for made, run, one in runs]
        )),
        ("event log", median(lambda: [run.events() for _, run, _ in runs])),
        ("digest", median(lambda: [event_log_digest(log) for log in logs])),
    ]  # fmt: skip
    table(
        ("stage of a control replay", "CPU µs a flow"),
        [(name, 1_000_000 * took.cpu / flows) for name, took in rows],
    )


def entry(number: int) -> RecordedStep:
    """One recorded call whose request differs from the others in two of six leaves."""
    made = RecordedAttempt(
        span_id=f"{number:016x}",
        start_ns=number * 1_000,
        end_ns=number * 1_000 + 500,
        status="ok",
        request=request_of(number),
        response={"id": number, "state": "done"},
    )
    return RecordedStep(
        step_id=f"step-{number}",
        op="service POST /things",
        key=f"key-{number}",
        kind="call",
        local=False,
        attempts=(made,),
    )


def request_of(number: int) -> Leaves:
    return {
        "id": number,
        "article": f"sku-{number:03}",
        "amount": "12.50",
        "currency": "EUR",
        "country": "DE",
        "express": False,
    }


def match_all(recording: Recording, key: str) -> Counter[str]:
    """Ask for every entry, the last first; `key` is a format of the entry's number."""
    answers = Answers.of(recording)
    rungs: Counter[str] = Counter()
    for number in reversed(range(ENTRIES)):
        wanted = key.format(number)
        found = answers.find("service POST /things", wanted, request_of(number), NOTHING_BOUND)
        answer = answers.take("service POST /things", found)
        assert answer is not None and answer.response["id"] == number
        rungs[answer.rung] += 1
    return rungs


def climb_all(ladder: Ladder, key: str, session: str, **fresh: str) -> Counter[str]:
    """Ask the ladder for every entry, the last first, with values made fresh for the request."""
    rungs: Counter[str] = Counter()
    for number in reversed(range(ENTRIES)):
        wanted = key.format(number) if key else ""
        asked = {**request_of(number), **fresh}
        match = ladder.find("service POST /things", wanted, asked, session)
        assert match.number == number
        rungs[match.rung] += 1
    return rungs


def matching() -> None:
    """Requests a second on one recording of `ENTRIES` answers."""
    recording = Recording(
        flow_id="flow",
        name="kind",
        version="1",
        service="service",
        outcome="succeeded",
        duration_ns=ENTRIES * 1_000,
        input={},
        output={},
        steps=tuple(map(entry, range(ENTRIES))),
    )
    keyless = replace(recording, steps=tuple(replace(step, key="") for step in recording.steps))
    ladders = {"keys": Ladder.of(recording, Noise()), "none": Ladder.of(keyless, Noise())}
    sessions = count()
    rows: list[Row] = []

    def row(name: str, rounds: int, work: Callable[[], Counter[str]]) -> None:
        rungs = work()
        took = median(lambda: [work() for _ in range(rounds)])
        requests = ENTRIES * rounds
        rows.append((f"{name} ({', '.join(rungs)})", *per_second("", requests, took)[1:6]))

    def climbing(which: str, key: str, **fresh: str) -> Callable[[], Counter[str]]:
        return lambda: climb_all(ladders[which], key, str(next(sessions)), **fresh)

    row("trace mode, by key", 20, lambda: match_all(recording, "key-{}"))
    row("trace mode, by likeness", 5, lambda: match_all(recording, "other-{}"))
    row("ladder, by key", 20, climbing("keys", "key-{}"))
    row("ladder, equal request", 20, climbing("none", ""))
    row("ladder, fresh ids", 20, climbing("none", "", token=FRESH))
    row("ladder, by likeness", 5, climbing("none", "", currency="USD"))
    vcr = vcr_matching()
    if vcr is not None:
        row("vcrpy, by method, URI and body", 1, vcr)
    print(f"\nmatching on one recording of {ENTRIES} answers")
    table(("match", "requests", "wall s", "CPU s", "requests/s", "requests/CPU s"), rows)


def vcr_matching() -> Callable[[], Counter[str]] | None:
    """The same requests against a cassette of vcrpy; None where it is not installed."""
    try:
        from vcr import matchers
        from vcr.cassette import Cassette
        from vcr.request import Request as VcrRequest
    except ImportError:
        print("\nvcrpy is not installed, so it is not measured beside: pip install vcrpy")
        return None
    by = (matchers.method, matchers.uri, matchers.body)

    def asked(number: int) -> Any:
        body = json.dumps(request_of(number))
        headers = {"Content-Type": "application/json"}
        return VcrRequest("POST", "http://service/things", body, headers)

    def work() -> Counter[str]:
        cassette = Cassette("none.yaml", match_on=by, allow_playback_repeats=False)
        for number in range(ENTRIES):
            response = {"status": {"code": 200, "message": "OK"}, "body": {"string": b"{}"}}
            cassette.append(asked(number), {**response, "headers": {}})
        cassette.rewound = True
        for number in reversed(range(ENTRIES)):
            cassette.play_response(asked(number))
        return Counter(equal=ENTRIES)

    return work


def memory(kinds: Kinds, replays: int) -> None:
    """The memory held after each quarter of many replays, whose results are dropped."""
    print(f"\nmemory over {replays:,} replays (control and what-if in turn)")
    scenario = load_scenario(SCENARIO)
    rounds = max(1, replays // len(kinds.recordings))
    held = [(0, memory_mb("VmRSS"))]
    for number in range(1, rounds + 1):
        kinds.replay(scenario if number % 4 == 0 else None)
        if number * 4 % rounds < 4:
            held.append((number * len(kinds.recordings), memory_mb("VmRSS")))
    table(("replays", "RSS MB"), held)
    print(f"growth after the first quarter: {held[-1][1] - held[1][1]} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--replays", type=int, default=20_000, help="for the memory part")
    given = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        store = stored_sample(Path(folder), derived=True)
        with store.lease("benchmark") as session:
            flows = read_flows(session)
    kinds = Kinds(flows)
    speeds(kinds)
    matching()
    memory(kinds, given.replays)
    print(machine())


if __name__ == "__main__":
    main()
