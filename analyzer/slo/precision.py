"""How well an alert's firings fit the incidents that were declared.

A firing belongs to every incident it was on in. Precision: firings that belong to one, of all;
recall: incidents with a firing, of all. Without incidents neither says anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from analyzer.slo.backtest import Firing, RuleHistory
from store.conclusions import Incident


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """One incident and the first firing that belongs to it; `delay_ns` is None without one.

    A delay below 0 is an alert that fired before the declared start.
    """

    incident_id: str
    delay_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """Counts: `matching` of `firings`, `detections` one for each incident."""

    firings: int
    matching: int
    detections: Sequence[Detection]

    @property
    def detected(self) -> int:
        """Incidents that an alert fired in."""
        return sum(it.delay_ns is not None for it in self.detections)


def incident_ids(firing: Firing, incidents: Sequence[Incident]) -> list[str]:
    """The incidents a firing belongs to."""
    return [it.incident_id for it in incidents if _fits(firing, it)]


def precision(history: RuleHistory, incidents: Sequence[Incident]) -> Precision:
    """The firings of a rule beside the incidents."""
    firings = history.firings
    detections = []
    for incident in incidents:
        fired = [it.fired_ns for it in firings if _fits(it, incident)]
        delay_ns = min(fired) - incident.start_ns if fired else None
        detections.append(Detection(incident_id=incident.incident_id, delay_ns=delay_ns))
    return Precision(
        firings=len(firings),
        matching=sum(bool(incident_ids(it, incidents)) for it in firings),
        detections=detections,
    )


def _fits(firing: Firing, incident: Incident) -> bool:
    end_ns = max(incident.end_ns, incident.recovered_ns or incident.end_ns)
    resolved_ns = end_ns if firing.resolved_ns is None else firing.resolved_ns
    return firing.fired_ns <= end_ns and resolved_ns >= incident.start_ns
