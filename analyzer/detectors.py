"""What a detector is, of one flow or of many, and where detectors are found."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import analyzer.governance
import analyzer.resilience
from analyzer.discovery import discover, no_twins
from analyzer.sagas.coverage import Coverage
from store.conclusions import Evidence, Finding, Flow, Verdict
from store.model import Decision, JsonValue

PLACES = (analyzer.governance, analyzer.resilience)
EVIDENCE_MAX = 50

Row = Mapping[str, Any]
"""One row of the answer to a stored question, by column."""
S = TypeVar("S")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowCase:
    """What a detector is given: one flow, its decisions, and the coverage of the data."""

    flow: Flow
    decisions: Sequence[Decision]
    coverage: Coverage


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationCase:
    """What a detector of many flows is given: answers to its stored questions, and its settings.

    `answers` holds rows by the question's name. `flows` counts the flows in the store,
    `unsampled` those of which it is not known what sampling left out.
    """

    answers: Mapping[str, Sequence[Row]]
    settings: Any
    coverage: Coverage
    flows: int = 0
    unsampled: int = 0

    def settings_as(self, kind: type[S]) -> S:
        """The detector's own settings, in their type."""
        if not isinstance(self.settings, kind):
            raise TypeError(f"settings of type {kind.__name__} are needed, not {self.settings!r}")
        return self.settings

    @property
    def sampled_unknown(self) -> bool:
        """Whether unknown sampling makes absences and rates worthless."""
        return self.unsampled > 0 or self.coverage.unknown_sampling

    def sure(self) -> Verdict:
        """The verdict on a fault seen in rates: no more than `suspected` under unknown sampling."""
        return Verdict.SUSPECTED if self.sampled_unknown else Verdict.VIOLATION


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a detector of many flows says.

    `examined` counts what it could look at, in words ("calls": 310); `missing` names data or
    attributes without which it could not judge.
    """

    findings: Sequence[Finding]
    examined: Mapping[str, int]
    missing: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoSettings:
    """For a detector that nothing can be set of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """A question and who answers it; its module's name is its id."""

    name: str
    scope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowDetector(Detector):
    """A question asked of every flow by itself."""

    detect: Callable[[FlowCase], Sequence[Finding]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationDetector(Detector):
    """A question asked of all flows at once, of facts that stored questions gather.

    Each of `questions` is a `.sql` file; its parameters are fields of `settings`, a frozen record
    with a default for everything. `detect` is pure.
    """

    scope: str = field(default="population", init=False)
    questions: Sequence[Path]
    settings: type[Any] = NoSettings
    detect: Callable[[PopulationCase], Judged]


@lru_cache(maxsize=1)
def all_detectors() -> tuple[Detector, ...]:
    """All detectors, in the order of their names."""
    found: dict[str, Detector] = {}
    for place in PLACES:
        for name, detector in discover(place, "DETECTOR", Detector).items():
            found[f"{place.__name__}.{name}"] = detector
    no_twins({place: detector.name for place, detector in found.items()})
    return tuple(sorted(found.values(), key=lambda detector: detector.name))


@lru_cache(maxsize=1)
def flow_detectors() -> tuple[FlowDetector, ...]:
    """The detectors of single flows, in the order of their names."""
    return tuple(it for it in all_detectors() if isinstance(it, FlowDetector))


@lru_cache(maxsize=1)
def population_detectors() -> tuple[PopulationDetector, ...]:
    """The detectors of many flows, in the order of their names."""
    return tuple(it for it in all_detectors() if isinstance(it, PopulationDetector))


def detect(case: FlowCase) -> list[Finding]:
    """The findings of all detectors on one flow."""
    return [finding for detector in flow_detectors() for finding in detector.detect(case)]


def flow_finding(
    detector: str,
    flow: Flow,
    *,
    subject: str,
    severity: str,
    verdict: Verdict,
    message: str,
    remedy: str,
    evidence: Sequence[Evidence],
    facts: Mapping[str, JsonValue],
) -> Finding:
    """A finding on one flow; its id follows from detector, flow and subject alone.

    So a finding keeps its id when more is learned about it.
    """
    return Finding(
        finding_id=finding_id(detector, flow.flow_id, subject),
        detector=detector,
        scope="flow",
        severity=severity,
        verdict=verdict,
        flow_id=flow.flow_id,
        message=message,
        remedy=remedy,
        evidence=list(dict.fromkeys(evidence))[:EVIDENCE_MAX],
        facts=facts,
    )


def population_finding(
    detector: str,
    *,
    subject: Sequence[str],
    severity: str,
    verdict: Verdict,
    message: str,
    remedy: str,
    spans: Sequence[str],
    facts: Mapping[str, JsonValue],
) -> Finding:
    """A finding on many flows; its id follows from detector and subject alone.

    `subject` is what it is about, such as an edge; `spans` are examples as `trace id/span id`.
    """
    return Finding(
        finding_id=finding_id(detector, *subject),
        detector=detector,
        scope="population",
        severity=severity,
        verdict=verdict,
        flow_id=None,
        message=message,
        remedy=remedy,
        evidence=[_span(text) for text in list(dict.fromkeys(spans))[:EVIDENCE_MAX]],
        facts=facts,
    )


def finding_id(*about: str) -> str:
    """The id of what is said about this."""
    written = json.dumps(list(about), ensure_ascii=False)
    return f"fi_{hashlib.sha256(written.encode()).hexdigest()[:20]}"


def _span(text: str) -> Evidence:
    trace_id, _, span_id = text.partition("/")
    return Evidence(kind="span", trace_id=trace_id, span_id=span_id)
