"""Causes from metrics alone: failures are counted, improvement and traffic blame nobody."""

from collections.abc import Sequence

from analyzer.rootcause.rank import Ranking, rank
from analyzer.rootcause.telemetry import Case, Measurement, Telemetry

ONSET = 1_000_000_000_000
EDGES = frozenset({("shop", "pay"), ("shop", "rare"), ("pay", "bank")})


def told(service: str, requests: int, failed: Sequence[float], at_ns: int) -> list[Measurement]:
    """Availability in per cent beside the number of requests, once a step."""
    return [
        one
        for step, share in enumerate(failed)
        for one in (
            Measurement(at_ns + step, service, "availability Average", 100 - 100 * share),
            Measurement(at_ns + step, service, "requests Sum", float(requests)),
        )
    ]


def judged(during: Sequence[Measurement], before: Sequence[Measurement]) -> Ranking:
    return rank(
        Case(
            baseline=Telemetry(measurements=before),
            incident=Telemetry(measurements=during),
            onset_ns=ONSET,
            edges=EDGES,
            symptom="shop",
        )
    )


BEFORE = [
    one
    for service, requests in (("shop", 1_000), ("pay", 900), ("bank", 800), ("rare", 4))
    for one in told(service, requests, [0.0] * 20, 0)
]


def test_as_many_failures_as_the_symptom_weigh_more_than_a_large_share_of_few_requests() -> None:
    during = [
        *told("shop", 1_000, [0.0, 0.03, 0.02], ONSET),
        *told("pay", 900, [0.0, 0.03, 0.02], ONSET),
        *told("bank", 800, [0.0, 0.0, 0.0], ONSET),
        *told("rare", 4, [1.0, 1.0, 1.0], ONSET),
    ]
    found = judged(during, BEFORE)
    assert found.candidates[0].name == "pay"
    assert found.candidates[0].parts["request_metrics"].detail == (
        "45 of 2700 requests failed, 0 of 18000 before"
    )


def test_the_deepest_service_that_fails_as_much_is_first() -> None:
    during = [
        *told("shop", 1_000, [0.05] * 3, ONSET),
        *told("pay", 900, [0.05] * 3, ONSET),
        *told("bank", 800, [0.06] * 3, ONSET),
    ]
    assert judged(during, BEFORE).candidates[0].name == "bank"


def test_what_failed_before_and_does_no_more_is_no_cause() -> None:
    before = [*told("bank", 100, [1.0] * 20, 0), *told("shop", 1_000, [0.0] * 20, 0)]
    during = [*told("bank", 100, [0.0] * 3, ONSET), *told("shop", 1_000, [0.0] * 3, ONSET)]
    assert not judged(during, before).candidates


def test_a_share_without_the_number_of_requests_blames_only_where_it_fell() -> None:
    def shares(service: str, value: float, at_ns: int) -> list[Measurement]:
        return [Measurement(at_ns + n, service, "availability", value) for n in range(10)]

    found = judged(
        [*shares("pay", 100.0, ONSET), *shares("bank", 40.0, ONSET)],
        [*shares("pay", 0.0, 0), *shares("bank", 100.0, 0)],
    )
    assert [one.name for one in found.candidates] == ["bank"]


def test_more_traffic_alone_blames_nobody() -> None:
    def traffic(value: float, at_ns: int) -> list[Measurement]:
        return [Measurement(at_ns + n, "pay", "requests Sum", value) for n in range(10)]

    assert not judged(traffic(9_000.0, ONSET), traffic(10.0, 0)).candidates


def test_a_counter_that_never_moved_before_is_told_without_a_senseless_number() -> None:
    def restarts(value: float, at_ns: int) -> list[Measurement]:
        return [Measurement(at_ns + n, "pay", "pod restarts", value) for n in range(10)]

    (found,) = judged(restarts(1.0, ONSET), restarts(0.0, 0)).candidates
    assert found.parts["measurements"].detail == "pod restarts 1, 0 before (z over 1000)"
