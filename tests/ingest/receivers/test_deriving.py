"""When flows are derived while data comes in."""

import threading
import time

from ingest.receivers.deriving import Deriving


def test_what_was_asked_for_is_derived_before_the_end() -> None:
    done: list[int] = []
    deriving = Deriving(lambda: done.append(1), lambda text: None)
    deriving.stop()
    assert done == []
    deriving = Deriving(lambda: done.append(1), lambda text: None)
    deriving.ask()
    deriving.ask()
    deriving.stop()
    assert done == [1]


def test_it_waits_for_a_silence_and_asking_never_waits_for_it() -> None:
    begun, finish = threading.Event(), threading.Event()
    times: list[float] = []

    def derive() -> None:
        times.append(time.monotonic())
        begun.set()
        finish.wait(10)

    deriving = Deriving(derive, lambda text: None)
    for _ in range(4):
        deriving.ask()
        time.sleep(0.4)
    last = time.monotonic()
    assert not begun.is_set()
    assert begun.wait(10)
    deriving.ask()
    finish.set()
    deriving.stop()
    assert len(times) == 2
    assert times[0] > last


def test_a_failure_is_told_and_does_not_end_it() -> None:
    told: list[str] = []

    def derive() -> None:
        raise RuntimeError("the store is full")

    deriving = Deriving(derive, told.append)
    deriving.ask()
    deriving.stop()
    assert told == ["deriving failed, tried again later: the store is full"]
