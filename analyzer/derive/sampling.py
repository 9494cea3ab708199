"""How many flows one recorded flow stands for.

W3C tracestate `ot=th:` says with which probability a trace was kept: p = 1 - th / 2^56
(OpenTelemetry, "TraceState: Probability Sampling"). Before 2024 it was `ot=p:` with p = 2^-p, where
63 stood for a span kept for other reasons, and an `r:` alone for a probability that nobody knew
(OTEP 168); `rv:`, today's randomness, tells of no sampling. Of one trace all spans share one draw,
so a flow is seen when any of its spans is kept: the largest p counts. Spans that could have been
left out beside those that were kept make absences prove nothing, and so does any sampling whose
probability is not recorded.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from analyzer.conventions import (
    SAMPLER_PARAM,
    SAMPLER_TYPE,
    SAMPLING_MARKS,
    SAMPLING_RATES,
    decimal,
)
from store.model import Attributes, Span

ALL, ASSUMED, WEIGHTED, UNKNOWN = "all", "assumed_all", "weighted", "unknown"
NAMES_CACHED_MAX = 65_536
"""Attribute names are few; of hostile data, which makes names up, the oldest are forgotten."""
SAID_ALL = frozenset({*SAMPLING_RATES, SAMPLER_TYPE})
_DIGITS = 14
_WHOLE = 16**_DIGITS  # 2^56
_THRESHOLD = re.compile(r"[0-9a-f]{1,14}\Z")
_POWER = re.compile(r"[0-9]{1,2}\Z", re.ASCII)
_NEVER = 63


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
        said_all = said_all or not SAID_ALL.isdisjoint(span.attributes)
        kept = traces.setdefault(span.trace_id, set())
        if "ot=" in span.trace_state:
            try:
                probability = probability_in(span.trace_state)
            except _UntoldError as error:
                return Sampling(kind=UNKNOWN, weight=None, reason=f"{error} in tracestate")
            if probability is not None:
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


class _UntoldError(ValueError):
    """Raised for a sampler's mark that tells no probability; the message quotes it."""


def probability_in(trace_state: str) -> Fraction | None:
    """The probability that the `ot` member of a tracestate tells; None when no sampler wrote it."""
    for member in trace_state.split(","):
        key, _, value = member.strip().partition("=")
        if key == "ot":
            fields = dict(field.partition(":")[::2] for field in reversed(value.split(";")))
            if "th" in fields:
                return _told(probability_of(fields["th"]), f"ot=th:{fields['th'][:20]}")
            if "p" in fields:
                return _told(_power_of(fields["p"]), f"ot=p:{fields['p'][:20]}")
            return _told(None, "ot=r: without p:") if "r" in fields else None
    return None


def _told(probability: Fraction | None, mark: str) -> Fraction:
    if probability is None:
        raise _UntoldError(f"{mark} tells no probability")
    return probability


def _power_of(text: str) -> Fraction | None:
    """The probability of a p-value: 2^-p, up to 62."""
    if not _POWER.match(text) or int(text) >= _NEVER:
        return None
    return Fraction(1, 2 ** int(text))


def probability_of(threshold: str) -> Fraction | None:
    """The probability a threshold stands for; None when it is none."""
    if not _THRESHOLD.match(threshold):
        return None
    return 1 - Fraction(int(threshold.ljust(_DIGITS, "0"), 16), _WHOLE)


def _mark(attributes: Attributes) -> str:
    """The attribute that tells of sampling with no probability that we could use."""
    if SAMPLER_TYPE in attributes and not _keeps_all(attributes):
        return SAMPLER_TYPE
    names = [name for name in attributes if _tells_of_sampling(name)]
    marks = [name for name in names if name not in SAMPLING_RATES]
    if marks:
        return min(marks)
    for name in SAMPLING_RATES if names else ():
        if name in attributes and decimal(attributes, name) != 1:
            return name
    return ""


def _keeps_all(attributes: Attributes) -> bool:
    """Whether a sampler of Jaeger's clients, which marks where a trace begins, keeps all."""
    param = attributes.get(SAMPLER_PARAM)
    if attributes[SAMPLER_TYPE] == "const":
        return param is True or param in (1, "true", "1")
    return attributes[SAMPLER_TYPE] == "probabilistic" and decimal(attributes, SAMPLER_PARAM) == 1


@lru_cache(maxsize=NAMES_CACHED_MAX)
def _tells_of_sampling(name: str) -> bool:
    return name in SAMPLING_RATES or name.removeprefix("otel.scope.").startswith(SAMPLING_MARKS)
