"""The virtual world: the same code gives the same story, on virtual time, whatever the day."""

import socket
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from replay.code.engine import Subject
from replay.code.settings import CodeSettings
from store.errors import UsageError
from tests.replay.code.recorded import Call, run, subject

HOUR_MS = 3_600_000
ORDER = {"id": "o-1"}


def sequential(request: Any = None) -> Subject:
    return subject(
        [
            Call(path="/reserve", start_ms=1, end_ms=31, request={"order": "o-1"},
                 response={"id": "r-1"}),
            Call(path="/charge", start_ms=HOUR_MS + 33, end_ms=HOUR_MS + 53,
                 request=request or {"order": "o-1", "reservation": "r-1"},
                 response={"id": "c-1"}),
        ],
        given=ORDER, output={"charge": "c-1"}, end_ms=HOUR_MS + 54,
    )  # fmt: skip


def at_once(score_ends: float) -> list[Call]:
    return [
        Call(path="/reserve", start_ms=1, end_ms=31, request={"order": "o-1"},
             response={"id": "r-1"}),
        Call(path="/score", start_ms=1.5, end_ms=score_ends, request={"order": "o-1"},
             response={"id": "s-1"}),
    ]  # fmt: skip


def test_code_that_did_not_change_is_identical_and_an_hour_takes_no_time() -> None:
    result = run(sequential(), "orders:sequential")
    assert result.verdict == "identical", result.divergences
    assert result.mode == "code"
    assert result.outcome == "succeeded"
    assert HOUR_MS * 1_000_000 < result.virtual_duration_ns < (HOUR_MS + 60) * 1_000_000
    assert result.answers["exact"] == 2


def test_what_is_asked_otherwise_is_told_with_its_source_line() -> None:
    result = run(sequential({"order": "o-1", "reservation": "r-9"}), "orders:sequential")
    assert result.verdict == "diverged"
    first = result.divergences[0]
    assert (first.kind, first.path) == ("args_changed", "request.reservation")
    assert (first.recorded, first.replayed) == ("r-9", "r-1")
    assert first.line.startswith("orders.py:")
    source = (Path(__file__).parent / "programs" / "orders.py").read_text().splitlines()
    lines = [source[int(it.partition(":")[2]) - 1] for it in first.line.split(" < ")]
    assert any('post("/charge"' in line for line in lines)


def test_an_answer_to_a_request_that_is_only_similar_says_so() -> None:
    said = {"order": "o-1", "reservation": "r-1", "note": "gift", "lane": 3}
    changed = run(sequential({**said, "lane": 4}), "orders:noting")
    assert changed.answers["structural"] == 1
    assert [(it.kind, it.path) for it in changed.divergences] == [
        ("args_changed", "request.lane"),
        ("answer_rung_lowered", ""),
    ]
    assert changed.divergences[1].replayed == "structural"
    assert run(sequential(said), "orders:noting").verdict == "identical"


@pytest.mark.parametrize(("score_ends", "first"), [(20.0, "/score"), (31.2, "/reserve")])
def test_threads_end_in_the_order_their_recorded_answers_came(
    score_ends: float, first: str
) -> None:
    second = "/reserve" if first == "/score" else "/score"
    flow = subject(
        at_once(score_ends), given=ORDER,
        output={"done": [first, second], "ids": ["r-1", "s-1"]}, end_ms=33,
    )  # fmt: skip
    result = run(flow, "orders:in_threads")
    assert result.verdict == "identical", result.divergences


def test_tasks_of_asyncio_time_out_on_virtual_time() -> None:
    body = {"order": "o-1"}
    calls = [
        *at_once(20.0),
        Call(path="/charge", start_ms=HOUR_MS + 32, end_ms=HOUR_MS + 332.5, request=body,
             status=0, timeout_ms=300),
        Call(path="/charge", start_ms=HOUR_MS + 433, end_ms=HOUR_MS + 483, request=body,
             response={"id": "c-1"}, timeout_ms=300),
    ]  # fmt: skip
    output = {"ids": ["r-1", "s-1", "c-1"], "tries": 2}
    flow = subject(calls, given=ORDER, output=output, end_ms=HOUR_MS + 484)
    result = run(flow, "orders:in_tasks")
    assert result.verdict == "identical", result.divergences


def given_up(after_ms: float, limit_ms: int) -> Subject:
    """A charge whose caller gave up so long after it was sent."""
    body = {"order": "o-1", "reservation": "r-1"}
    end_ms = HOUR_MS + 33 + after_ms
    calls = [
        Call(path="/reserve", start_ms=1, end_ms=31, request={"order": "o-1"},
             response={"id": "r-1"}),
        Call(path="/charge", start_ms=HOUR_MS + 33, end_ms=end_ms, request=body, status=0,
             timeout_ms=limit_ms),
    ]  # fmt: skip
    return subject(calls, given=ORDER, output={"charge": None}, end_ms=end_ms + 1)


def test_who_gave_up_after_his_own_limit_stood_still_and_another_limit_is_a_change() -> None:
    """The code gives up after five seconds."""
    result = run(given_up(5_040, 5_000), "orders:patient")
    assert result.verdict == "identical", result.divergences
    assert result.flags == ("held up: 40 ms beyond the limit of shop.example POST /charge",)
    assert run(given_up(5_001, 5_000), "orders:patient").flags == ()
    changed = run(given_up(5_040, 5_040), "orders:patient")
    assert (changed.verdict, changed.divergences[0].path) == ("diverged", "end_ns")


@pytest.mark.parametrize("name", ["stuck", "stuck_in_threads"])
def test_waiting_for_what_never_comes_is_told_as_a_deadlock(name: str) -> None:
    result = run(sequential(), f"orders:{name}")
    assert result.verdict == "unreplayable"
    assert result.reason.startswith("deadlock: the flow waits for")


def test_what_never_ends_is_stopped_by_its_steps_or_by_the_clock_on_the_wall() -> None:
    few = CodeSettings(steps_max=1_000)
    result = run(sequential(), "orders:endless", settings=few)
    assert "more than 1000 steps" in result.reason
    short = CodeSettings(wall_s_max=1.0)
    result = run(sequential(), "orders:busy", settings=short)
    assert "did not get on for 1 s" in result.reason


def test_draws_are_the_same_whatever_the_hash_seed_the_time_zone_and_the_process() -> None:
    flow = subject(at_once(20.0), given=ORDER, output=None, end_ms=33)
    shared = {"isolate": False}
    one = run(flow, "orders:draws", environment={"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7"})
    two = run(flow, "orders:draws", environment={"TZ": "UTC"}, **shared)
    assert one.digest == two.digest
    drawn: Any = one.events[-1]["output"]
    assert drawn["now"] == "2023-11-14T22:13:20+00:00"
    assert drawn["today"] == "2023-11-14"
    assert drawn["time"] == 1_700_000_000 * 10**9


def test_recorded_draws_are_given_again() -> None:
    identity = "12345678-1234-4234-8234-123456789abc"
    draws = [{"kind": "random", "value": 0.25}, {"kind": "uuid", "value": identity}]
    flow = subject(at_once(20.0), given=ORDER, output=None, end_ms=33, draws=draws)
    drawn: Any = run(flow, "orders:draws").events[-1]["output"]
    assert drawn["random"] == 0.25
    assert drawn["uuid"] == identity


def test_a_race_in_the_code_is_found_by_other_orders() -> None:
    calls = [Call(path="/reserve", start_ms=11, end_ms=31, response={"id": "r-1"},
                  request={"order": "o-1", "first": "a"})]  # fmt: skip
    flow = subject(calls, given=ORDER, output={"id": "r-1"}, end_ms=32)
    assert run(flow, "orders:racing").flags == ()
    flags = run(flow, "orders:racing", explore=10).flags
    assert any(flag.startswith("race: ") for flag in flags)
    quiet = run(sequential(), "orders:sequential", explore=5)
    assert quiet.flags == ()


def test_a_call_without_a_recorded_answer_is_told_and_the_flow_goes_on() -> None:
    result = run(sequential(), "orders:unrecorded")
    kinds = [it.kind for it in result.divergences]
    assert "extra_call" in kinds
    assert kinds.count("missing_call") == 2
    assert result.events[-1]["output"] == {"status": 599}
    assert result.outcome == "unknown"


def test_an_exception_of_the_code_is_a_result_with_its_line() -> None:
    result = run(sequential(), "orders:failing")
    last = result.divergences[-1]
    assert (last.kind, last.path) == ("exception_changed", "exception")
    assert last.replayed == "LookupError: no such order: o-1"
    assert last.line.startswith("orders.py:")
    assert result.outcome == "failed"


def test_nothing_leaves_the_child(tmp_path: Path) -> None:
    """A server counts who comes; the child tries sockets, datagrams, processes and files."""
    came: list[object] = []
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
    ):
        port = server.getsockname()[1]
        datagrams.bind(("127.0.0.1", port))
        datagrams.settimeout(0.2)

        def count() -> None:
            while True:
                try:
                    came.append(server.accept())
                except OSError:
                    return

        Thread(target=count, daemon=True).start()
        flow = subject(
            at_once(20.0), given={"port": port, "folder": str(tmp_path)},
            output={"open": []}, end_ms=33,
        )  # fmt: skip
        result = run(flow, "orders:escaping")
        with pytest.raises(TimeoutError):
            datagrams.recv(10)
        server.shutdown(socket.SHUT_RDWR)
    assert came == []
    assert list(tmp_path.iterdir()) == []
    assert result.events[-1]["output"] == {"open": []}
    for what in ("socket.connect", "socket.sendto", "no HTTP request", "ctypes.dlopen",
                 "subprocess.Popen", "os.system", "os.fork", "writing", "os.mkdir"):  # fmt: skip
        assert any(what in flag for flag in result.flags), (what, result.flags)


def test_what_the_code_prints_is_no_message() -> None:
    result = run(sequential(), "orders:printing")
    assert result.events[-1]["output"] == {"read": ""}


def test_code_that_cannot_be_imported_is_one_clear_error() -> None:
    with pytest.raises(UsageError, match="no_such_module"):
        run(sequential(), "no_such_module:pay")
    with pytest.raises(UsageError, match="there is no sequentail; nearest: sequential"):
        run(sequential(), "orders:sequentail")
    with pytest.raises(UsageError, match="no-such-python"):
        run(sequential(), "orders:sequential", python="no-such-python")


def test_a_flow_without_its_input_is_unreplayable() -> None:
    flow = subject(at_once(20.0), given=None, output=None, end_ms=33)
    assert "input was not recorded" in run(flow, "orders:sequential").reason
