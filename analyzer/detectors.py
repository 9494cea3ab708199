"""What a detector of one flow is, and where detectors are found."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import analyzer.governance
import analyzer.resilience
from analyzer.discovery import discover, no_twins
from analyzer.sagas.coverage import Coverage
from store.conclusions import Evidence, Finding, Flow, Verdict
from store.model import Decision, JsonValue

PLACES = (analyzer.governance, analyzer.resilience)
EVIDENCE_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowCase:
    """What a detector is given: one flow, its decisions, and the coverage of the data."""

    flow: Flow
    decisions: Sequence[Decision]
    coverage: Coverage


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowDetector:
    """A question asked of every flow by itself; its module's name is its id."""

    name: str
    scope: str
    detect: Callable[[FlowCase], Sequence[Finding]]


@lru_cache(maxsize=1)
def flow_detectors() -> tuple[FlowDetector, ...]:
    """All detectors of single flows, in the order of their names."""
    found: dict[str, FlowDetector] = {}
    for place in PLACES:
        for name, detector in discover(place, "DETECTOR", FlowDetector).items():
            found[f"{place.__name__}.{name}"] = detector
    no_twins({place: detector.name for place, detector in found.items()})
    return tuple(sorted(found.values(), key=lambda detector: detector.name))


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
    written = json.dumps([detector, flow.flow_id, subject], ensure_ascii=False)
    return Finding(
        finding_id=f"fi_{hashlib.sha256(written.encode()).hexdigest()[:20]}",
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
