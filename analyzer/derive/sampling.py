"""How many flows one recorded flow stands for.

W3C tracestate `ot=th:` says with which probability a trace was kept: p = 1 - th / 2^56. Its other
members do not matter here. Of one trace all spans share one draw, so a flow is seen when any of its
spans is kept: the largest p counts. Spans that could have been left out beside those that were kept
make absences prove nothing, and so does any sampling whose probability is not recorded.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from analyzer.conventions import SAMPLING_MARKS, SAMPLING_RATES, decimal
from store.model import Attributes, Span

ALL, ASSUMED, WEIGHTED, UNKNOWN = "all", "assumed_all", "weighted", "unknown"
NAMES_CACHED_MAX = 65_536
"""Attribute names are few; of hostile data, which makes names up, the oldest are forgotten."""
_DIGITS = 14
_WHOLE = 16**_DIGITS  # 2^56
_THRESHOLD = re.compile(r"[0-9a-f]{1,14}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """What is known; `weight` is None when it is unknown, `reason` says why in words."""

    kind: str
    weight: Fraction | None
    reason: str = ""


def sampling_of(spans: Iterable[Span]) -> Sampling:
    """The sampling of one flow."""
    traces: dict[str, set[Fraction]] = {}
    said_all = False
    for span in spans:
        mark = _mark(span.attributes) or _mark(span.resource)
        if mark:
            return Sampling(kind=UNKNOWN, weight=None, reason=f"{mark} tells of sampling")
        said_all = said_all or any(name in span.attributes for name in SAMPLING_RATES)
        kept = traces.setdefault(span.trace_id, set())
        state = threshold_in(span.trace_state)
        if state is not None:
            probability = probability_of(state)
            if probability is None:
                return Sampling(
                    kind=UNKNOWN, weight=None, reason="ot=th: in tracestate is no number"
                )
            kept.add(probability)
    told = set().union(*traces.values())
    if not told:
        return Sampling(kind=ALL if said_all else ASSUMED, weight=Fraction(1))
    if told == {Fraction(1)}:
        return Sampling(kind=ALL, weight=Fraction(1))
    if len(told) > 1 or len(traces) > 1:
        reason = "its parts were sampled apart, so some may be missing"
        return Sampling(kind=UNKNOWN, weight=None, reason=reason)
    return Sampling(kind=WEIGHTED, weight=1 / told.pop())


def threshold_in(trace_state: str) -> str | None:
    """The value of `th` in the `ot` member of a tracestate."""
    for member in trace_state.split(","):
        key, _, value = member.strip().partition("=")
        if key == "ot":
            for field in value.split(";"):
                name, _, text = field.partition(":")
                if name == "th":
                    return text
    return None


def probability_of(threshold: str) -> Fraction | None:
    """The probability a threshold stands for; None when it is none."""
    if not _THRESHOLD.match(threshold):
        return None
    return 1 - Fraction(int(threshold.ljust(_DIGITS, "0"), 16), _WHOLE)


def _mark(attributes: Attributes) -> str:
    """The attribute that tells of sampling with no probability that we could use."""
    names = [name for name in attributes if _tells_of_sampling(name)]
    marks = [name for name in names if name not in SAMPLING_RATES]
    if marks:
        return min(marks)
    for name in SAMPLING_RATES if names else ():
        if name in attributes and decimal(attributes, name) != 1:
            return name
    return ""


@lru_cache(maxsize=NAMES_CACHED_MAX)
def _tells_of_sampling(name: str) -> bool:
    return name in SAMPLING_RATES or name.removeprefix("otel.scope.").startswith(SAMPLING_MARKS)
