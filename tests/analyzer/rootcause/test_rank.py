"""Faults planted into calls are found where they are; decoys and nothing are not blamed."""

from collections.abc import Iterable
from random import Random

from analyzer.rootcause.rank import Ranking, rank
from analyzer.rootcause.telemetry import (
    Call,
    Case,
    Change,
    Line,
    Measurement,
    RecordedCall,
    Telemetry,
    calls_of,
    template_of,
)

MS = 1_000_000
ONSET = 1_000_000 * MS


def traces(
    count: int,
    start_ns: int,
    *,
    slow: str = "",
    failing: str = "",
    bad: Iterable[int] = (),
    version: str = "1",
) -> list[Call]:
    """`shop` calls `cart` and `pay`, `pay` calls `bank`; 10 ms of work each."""
    dice = Random(start_ns)
    spans = []
    hit = set(bad)
    for number in range(count):
        at = start_ns + number * 1_000 * MS
        trace = f"{start_ns}-{number:05}"

        def work(service: str, sick: bool = number in hit) -> int:
            usual = dice.randrange(9, 12) * MS
            return usual + (200 * MS if service == slow and sick else 0)

        took = {name: work(name) for name in ("shop", "cart", "pay", "bank")}
        bank_end = at + 20 * MS + took["bank"]
        cart_end = at + 5 * MS + took["cart"]
        pay_end = bank_end + took["pay"]
        end = max(cart_end, pay_end) + took["shop"]
        down = failing if number in hit else ""
        sick = {"bank": ("bank", "pay", "shop"), "pay": ("pay", "shop"), "": ()}[down]
        for span, parent, service, begin, until in (
            ("1", "", "shop", at, end),
            ("2", "1", "cart", at + 5 * MS, cart_end),
            ("3", "1", "pay", at + 10 * MS, pay_end),
            ("4", "3", "bank", at + 20 * MS, bank_end),
        ):
            spans.append(
                RecordedCall(
                    trace_id=trace,
                    span_id=f"{trace}/{span}",
                    parent_id=f"{trace}/{parent}",
                    service=service,
                    operation=f"do {service}",
                    start_ns=begin,
                    end_ns=until,
                    failed=service in sick,
                    where=(("version", version),) if service == "shop" else (),
                )
            )
    return calls_of(spans)


def case(incident: list[Call], **more: object) -> Case:
    return Case(
        baseline=Telemetry(calls=traces(100, 0)),
        incident=Telemetry(calls=incident),
        onset_ns=ONSET,
        **more,  # type: ignore[arg-type]
    )


def named(ranking: Ranking, kind: str = "service") -> list[str]:
    return [one.name for one in ranking.candidates if one.kind == kind]


def test_the_service_that_takes_the_time_is_first_not_those_that_wait_for_it() -> None:
    ranking = rank(case(traces(60, ONSET, slow="bank", bad=range(60))))
    assert named(ranking)[0] == "bank"
    assert "shop" not in named(ranking)
    assert named(ranking, "operation")[0] == "bank do bank"
    assert "self_time" in ranking.candidates[0].parts


def test_the_deepest_failing_service_is_first() -> None:
    ranking = rank(case(traces(60, ONSET, failing="bank", bad=range(0, 60, 2))))
    assert named(ranking)[0] == "bank"
    clue = ranking.candidates[0].parts["error_origin"]
    assert clue.detail.startswith("100% of the added failures begin here")
    assert clue.n == 30


def test_nothing_different_gives_no_candidate_and_a_reason() -> None:
    ranking = rank(case(traces(60, ONSET)))
    assert ranking.candidates == ()
    assert ranking.reason == "no part points anywhere strongly enough"


def test_no_data_gives_no_candidate_and_says_so() -> None:
    empty = Case(baseline=Telemetry(), incident=Telemetry(), onset_ns=ONSET)
    assert "nothing to compare" in rank(empty).reason


def test_a_deploy_nearby_that_touched_nothing_is_not_blamed() -> None:
    decoy = Change(at_ns=ONSET - MS, kind="version", service="cart", name="9")
    ranking = rank(case(traces(60, ONSET, failing="bank", bad=range(60)), changes=[decoy]))
    assert not [one for one in ranking.candidates if "cart" in one.name]
    assert rank(case(traces(60, ONSET), changes=[decoy])).candidates == ()


def test_a_change_after_the_symptom_began_is_never_a_cause() -> None:
    late = Change(at_ns=ONSET + MS, kind="version", service="bank", name="9")
    ranking = rank(case(traces(60, ONSET, failing="bank", bad=range(60)), changes=[late]))
    assert not [one for one in ranking.candidates if one.kind == "version"]


def test_a_version_that_bad_traces_bear_is_told_with_its_service() -> None:
    good = traces(60, ONSET, version="1")
    sick = traces(60, ONSET + 100_000 * MS, failing="pay", bad=range(60), version="2")
    bad = frozenset(call.trace_id for call in sick)
    ranking = rank(case([*good, *sick], bad=bad))
    assert "shop 2" in named(ranking, "version")
    assert "shop 1" not in named(ranking, "version")
    assert named(ranking)[0] == "pay"


def test_a_setting_is_told_apart_among_the_traces_that_tell_it() -> None:
    """Some traces repeat a call; the bad ones took a new key. Nearness in time is nothing."""
    name, known = "setting key of repeats", {"new": range(0, 60, 2), "kept": range(1, 20, 2)}
    told = [
        call._replace(where=((name, value),))
        for value, numbers in known.items()
        for call in traces(60, ONSET)
        if call.service == "shop" and int(call.trace_id[-5:]) in numbers
    ]
    silent = [call for call in traces(60, ONSET) if call.service == "bank"]
    bad = frozenset(call.trace_id for call in told if call.where[0][1] == "new")
    changes = [Change(at_ns=ONSET - 1, kind="setting", service="other", name="9", text="seen")]
    ranking = rank(case([*told, *silent], bad=bad, changes=changes))
    (found,) = (one for one in ranking.candidates if one.kind == "setting")
    assert found.name == "setting key of repeats new"
    assert "in 30 of 30 bad traces and 0 of 10 good ones" in found.parts["contrast"].detail
    assert not [one for one in ranking.candidates if one.kind == "attribute"]


def lines(texts: Iterable[tuple[str, int]], at_ns: int) -> list[Line]:
    return [
        Line(at_ns + n, "pay", severity, template_of(text), "")
        for n, (text, severity) in enumerate(texts)
    ]


def test_a_commit_is_blamed_for_the_words_it_shares_with_new_errors_not_for_being_last() -> None:
    changes = [
        Change(
            at_ns=ONSET - 600_000 * MS,
            kind="commit",
            service="",
            name="guilty",
            text="drop leeway: token.expired, clock skew leeway",
        ),
        Change(at_ns=ONSET - MS, kind="commit", service="pay", name="last", text="restyle footer"),
    ]
    incident = Case(
        baseline=Telemetry(lines=lines([("payment done", 9)] * 50, 0)),
        incident=Telemetry(lines=lines([("token rejected: expired, clock skew", 17)] * 50, ONSET)),
        onset_ns=ONSET,
        changes=changes,
    )
    assert named(rank(incident), "change") == ["guilty"]


def test_a_saturated_resource_points_at_its_service() -> None:
    def cpu(service: str, value: float, at_ns: int) -> list[Measurement]:
        return [Measurement(at_ns + n, service, "cpu_percent", value + n % 3) for n in range(10)]

    found = rank(
        Case(
            baseline=Telemetry(measurements=[*cpu("pay", 10, 0), *cpu("bank", 10, 0)]),
            incident=Telemetry(measurements=[*cpu("pay", 11, ONSET), *cpu("bank", 98, ONSET)]),
            onset_ns=ONSET,
        )
    )
    assert named(found) == ["bank"]
    assert set(found.unseen) >= {"self_time", "error_origin", "new_logs"}


def test_the_order_of_records_changes_nothing() -> None:
    calls = traces(60, ONSET, slow="bank", bad=range(60))
    shuffled = calls[:]
    Random(3).shuffle(shuffled)
    assert rank(case(shuffled)) == rank(case(calls))


def test_templates_leave_out_what_varies() -> None:
    assert template_of("order 1234 paid by 'x' in 20ms") == template_of(
        "order 9 paid by 'y' in 3ms"
    )
    assert template_of("card declined") != template_of("card accepted")
