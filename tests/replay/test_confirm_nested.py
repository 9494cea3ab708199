"""Time that was spent below a service is not held against it, nor is the service below cleared."""

from types import SimpleNamespace
from typing import Any, cast

from replay.confirm.nested import time_below
from replay.confirm.trial import Swap, Trial, judged


def step(name: str, service: str, callee: str, parent: str | None, start: int, end: int) -> Any:
    attempt = SimpleNamespace(start_ns=start, end_ns=end, callee_start_ns=None, callee_end_ns=None)
    return SimpleNamespace(
        step_id=name, service=service, callee=callee, parent_step_id=parent, attempts=[attempt]
    )


def asked(inner_ns: int, name: str) -> tuple[str, str]:
    """What is told of a service in twelve flows whose outer call takes 100 ns."""
    steps = [
        step("a", "shop", "outer", None, 0, 100),
        step("b", "outer", "inner", "a", 10, 10 + inner_ns),
    ]
    ids = [f"flow-{n}" for n in range(12)]
    world = SimpleNamespace(flows={one: SimpleNamespace(steps=steps) for one in ids})
    return time_below(
        cast(Any, world), [cast(Any, SimpleNamespace(flow_id=one)) for one in ids], name
    )


def test_the_service_that_takes_most_of_the_time_below_another_is_named() -> None:
    assert asked(80, "outer") == (
        "in 12 of its 12 calls most of the time went to inner below it",
        "",
    )
    assert asked(20, "outer") == ("", "")
    assert asked(80, "inner") == ("", "outer")


def test_neither_the_outer_is_confirmed_nor_the_inner_refuted_for_time() -> None:
    def swap(name: str, gone: int, **more: str) -> Swap:
        low, high = (0.9, 1.0) if gone else (0.0, 0.1)
        return Swap(
            kind="service", name=name, gone=gone, n=40, unsure=0, low=low, high=high, **more
        )

    trial = Trial(
        symptom="slow",
        during=(40, 40),
        before=(2, 40),
        swaps=[swap("outer", 40, deeper="most went to inner"), swap("inner", 0, outer="outer")],
    )
    assert judged([trial], "service", "outer").status == "refuted"
    told = judged([trial], "service", "inner")
    assert (told.status, "lies inside that of outer" in told.reason) == ("untested", True)
