"""The same replay gives the same digest, wherever and whenever it runs."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.digest import canonical_json, event_log_digest, ordinals, sha256_text
from replay.engine import replay_flows
from store.conclusions import Flow
from tests.replay.kinds import true_flows

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import replay.workers
from replay.scenario import AlteredAnswer, Scenario
from replay.settings import ReplaySettings
from replay.workers import replay_with_workers
from tests.replay.kinds import true_flows
replay.workers.FLOWS_PER_PROCESS_MIN = 10
if __name__ == "__main__":
    flows = true_flows("payment", 31) + true_flows("claims", 31)
    down = AlteredAnswer(operation="gateway-eu POST /charges", nth=None, status="503")
    slow = AlteredAnswer(operation="*", nth=None, latency_percent=300)
    for _ in range(4):
        results = replay_with_workers(
            flows, [f.flow_id for f in flows], workers=int(sys.argv[2]),
            scenario=Scenario(name="what if", answers=(down, slow)),
            settings=ReplaySettings(scenario_flows_min=30),
        )
        for one in results:
            print(one.flow_id, one.control_digest, one.digest, one.program_digest, one.flags,
                  one.claim, one.reason)
"""


def test_repeats_under_other_hash_seeds_time_zones_and_numbers_of_workers_agree() -> None:
    """24 repeats of controls and what-ifs: 3 hash seeds, 2 time zones; one process and two take
    turns."""
    zones = ("Asia/Kolkata", "America/St_Johns")
    runs = []
    for number in range(6):
        environment = {
            **os.environ,
            "PYTHONHASHSEED": str(number % 3 * 7919),
            "TZ": zones[number % 2],
        }
        workers = "1" if number < 3 else "2"
        runs.append(
            subprocess.Popen(
                [sys.executable, "-c", PROGRAM, str(ROOT), workers],
                env=environment,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
    printed = [run.communicate()[0].splitlines() for run in runs]
    assert [run.returncode for run in runs] == [0] * 6
    repeats = {tuple(lines[at : at + 62]) for lines in printed for at in range(0, 248, 62)}
    assert {len(lines) for lines in printed} == {248}
    assert len(repeats) == 1
    assert any("not identified" in line for line in printed[0])


def test_the_day_and_the_span_ids_do_not_enter_the_digest(claims: list[Flow]) -> None:
    day = 86_400 * 10**9
    ids = [flow.flow_id for flow in claims[:10]]
    later = [shifted(flow, day) for flow in claims]
    before = replay_flows(claims, ids)
    after = replay_flows(later, ids)
    assert [r.digest for r in before] == [r.digest for r in after]
    assert [r.program_digest for r in before] == [r.program_digest for r in after]


def shifted(flow: Flow, by_ns: int) -> Flow:
    steps = []
    for step in flow.steps:
        attempts = [
            dataclasses.replace(
                attempt,
                span_id=f"x{attempt.span_id}",
                start_ns=attempt.start_ns + by_ns,
                end_ns=None if attempt.end_ns is None else attempt.end_ns + by_ns,
            )
            for attempt in step.attempts
        ]
        steps.append(dataclasses.replace(step, attempts=attempts, start_ns=step.start_ns + by_ns))
    end = None if flow.end_ns is None else flow.end_ns + by_ns
    return dataclasses.replace(flow, start_ns=flow.start_ns + by_ns, end_ns=end, steps=steps)


def test_redaction_tokens_enter_as_ordinals_of_first_occurrence() -> None:
    one = [{"a": "[redacted:email:aa]", "b": "[redacted:email:bb] [redacted:email:aa]"}]
    two = [{"a": "[redacted:email:77]", "b": "[redacted:email:12] [redacted:email:77]"}]
    other = [{"a": "[redacted:email:77]", "b": "[redacted:email:77] [redacted:email:12]"}]
    assert event_log_digest(one) == event_log_digest(two)
    assert event_log_digest(one) != event_log_digest(other)


def test_a_flow_redacted_under_another_secret_has_the_same_digest() -> None:
    def redacted(secret: str) -> list[Flow]:
        flows = []
        for flow in true_flows("payment", 60):
            assert isinstance(flow.input, dict)
            customer = flow.input["customer"]
            token = f"[redacted:customer:{secret}{customer}]"
            steps = [
                dataclasses.replace(
                    step,
                    attempts=[
                        dataclasses.replace(
                            attempt,
                            request={
                                key: token if value == customer else value
                                for key, value in attempt.request.items()
                            },
                        )
                        for attempt in step.attempts
                        if isinstance(attempt.request, dict)
                    ],
                )
                for step in flow.steps
            ]
            given = {**flow.input, "customer": token}
            flows.append(dataclasses.replace(flow, input=given, steps=steps))
        return flows

    one, two = redacted("k1-"), redacted("k2-")
    ids = [flow.flow_id for flow in one]
    first, second = replay_flows(one, ids), replay_flows(two, ids)
    assert [r.digest for r in first] == [r.digest for r in second]
    assert sum(r.verdict == "identical" for r in first) > 40


@pytest.mark.parametrize("text", ["", "plain", "[redacted:", "[redacted:x"])
def test_text_without_whole_tokens_stays_as_it_is(text: str) -> None:
    assert ordinals(text) == text


def test_lone_surrogates_and_big_numbers_can_be_digested() -> None:
    assert event_log_digest([{"a": "\ud800", "b": 2**80}])


def test_canonical_json_is_sorted_and_tight() -> None:
    assert canonical_json({"b": 1, "a": ["ü"]}) == '{"a":["ü"],"b":1}'


scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text()


@given(st.lists(st.dictionaries(st.text(), scalars | st.dictionaries(st.text(), scalars))))
def test_the_fast_way_to_a_digest_is_the_canonical_json(events: list[dict[str, object]]) -> None:
    assert event_log_digest(events) == sha256_text(ordinals(canonical_json(events)))  # type: ignore[arg-type]
