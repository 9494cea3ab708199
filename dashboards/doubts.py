"""Why numbers of a scope may be wrong, a sentence for each reason.

In: counts over the heads of flows, what the store holds, clocks. Out: `Doubt`s, gravest first.
Words say what is seen, never more: a service that is no longer called looks like one that no longer
sends.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from analyzer.quality.report import TOLERANCE_NS
from dashboards import flow_questions
from dashboards.data import Holdings
from dashboards.scope import Scope
from dashboards.silence import PARTS, Silence, silences
from dashboards.wording import clean, duration_text, plural, share_text, shortened, time_text
from store.read import ClockSkew

TOLD_MAX = 5  # services, or pairs of them, that one doubt names
NAME_LENGTH_MAX = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """`short` for a line above a page; `told` with its numbers, and what it does to others."""

    short: str
    told: Sequence[str]


def doubts_of(scope: Scope, holdings: Holdings) -> Sequence[Doubt]:
    """All that counts can tell to be wrong with the data of a scope."""
    counts = flow_questions.doubted(scope)
    skewed = [
        one
        for one in flow_questions.clock_skew()
        if one.certain and abs(one.offset_ns) > TOLERANCE_NS
    ]
    return [
        *_of_flows(counts),
        *_of_silence(silences(flow_questions.taking_part(scope, PARTS))),
        *_of_store(holdings),
        *_of_clocks(skewed),
    ]


def _of_flows(counts: Mapping[str, int]) -> Iterator[Doubt]:
    flows = counts["flows"]
    if broken := counts["broken"]:
        yield Doubt(
            short=f"spans missing in {plural(broken, 'flow')} of {flows:,}",
            told=[
                f"{_of(broken, flows)} are not whole: a root, a parent or the end of a span is "
                "missing. What that part did is unknown."
            ],
        )
    if unknown := counts["unknown"]:
        yield Doubt(
            short=f"{plural(unknown, 'flow')} of {flows:,} sampled in an unknown way",
            told=[
                f"{_of(unknown, flows)} were sampled in a way nobody recorded: counts are of what "
                "was kept, and shares of all flows are unknown."
            ],
        )
    if sampled := counts["sampled"]:
        yield Doubt(
            short=f"{plural(sampled, 'flow')} of {flows:,} sampled",
            told=[
                f"{_of(sampled, flows)} stand for more than themselves: counts are of flows as "
                "they were kept."
            ],
        )


def _of_silence(silent: Sequence[Silence]) -> Iterator[Doubt]:
    if not silent:
        return
    names = list(dict.fromkeys(_name(one.service) for one in silent))
    what = names[0] if len(names) == 1 else plural(len(names), "service")
    told = [
        f"{_name(one.service)} took no part in the last {plural(one.later, 'flow')} of kind "
        f"{_name(one.kind)}, since {time_text(one.last_ns, digits=0)}; before that it did in "
        f"{_of(one.flows, one.meanwhile)}. Its telemetry stopped early, or nobody called it any "
        "more: which of them is unknown."
        for one in silent[:TOLD_MAX]
    ]
    yield Doubt(short=f"{what} silent before the end", told=[*told, *_more(len(silent))])


def _of_store(holdings: Holdings) -> Iterator[Doubt]:
    if holdings.underived:
        yield Doubt(
            short=f"{plural(holdings.underived, 'trace')} not yet derived",
            told=[
                f"{plural(holdings.underived, 'trace')} of the store are not yet derived into "
                "flows, and no number counts them: run `retrospan ingest` again."
            ],
        )
    if holdings.rejected:
        yield Doubt(
            short=f"{plural(holdings.rejected, 'record')} refused",
            told=[
                f"{plural(holdings.rejected, 'input record')} of the store could not be read and "
                f"was kept aside; most frequent reason: {clean(holdings.rejected_reason)}"
            ],
        )


def _of_clocks(skewed: Sequence[ClockSkew]) -> Iterator[Doubt]:
    if not skewed:
        return
    worst = sorted(skewed, key=lambda one: (-abs(one.offset_ns), one.caller, one.callee))
    told = [
        f"The clock of {_name(one.callee)} is {duration_text(abs(one.offset_ns))} "
        f"{'ahead of' if one.offset_ns > 0 else 'behind'} that of {_name(one.caller)} "
        f"(n = {plural(one.calls, 'call')} of the whole store). Order comes from causes first; "
        "times across the two are as recorded."
        for one in worst[:TOLD_MAX]
    ]
    yield Doubt(
        short=f"clocks of {plural(len(skewed), 'pair')} of services disagree",
        told=[*told, *_more(len(skewed))],
    )


def _more(many: int) -> list[str]:
    return [f"… and {many - TOLD_MAX:,} more"] if many > TOLD_MAX else []


def _of(part: int, whole: int) -> str:
    return f"{part:,} of {plural(whole, 'flow')} ({share_text(part, whole)})"


def _name(text: object) -> str:
    return shortened(clean(str(text)), NAME_LENGTH_MAX)
