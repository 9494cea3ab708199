"""OpenSLO files written by hand, and timelines of events."""

from fractions import Fraction
from pathlib import Path

from analyzer.slo.model import Objective, Slo
from analyzer.slo.openslo import read_slos
from analyzer.slo.timeline import Event, Timeline, summed

S = 1_000_000_000
START = 1_700_000_000 * S
SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata:
  name: done
spec:
  service: shop
  indicator:
    metadata:
      name: done
    spec:
      ratioMetric:
        good:
          metricSource:
            type: retrospan
            spec:
              predicate: succeeded
        total:
          metricSource:
            type: retrospan
            spec:
              predicate: name == "payment"
  timeWindow:
    - duration: 30d
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - target: 0.99
"""


def read(tmp_path: Path, text: str) -> Slo:
    """The only SLO of a text."""
    path = tmp_path / "slo.yaml"
    path.write_text(text)
    (slo,) = read_slos([path])
    return slo


def line(*good: bool | None, every: int = S, weight: Fraction = Fraction(1)) -> Timeline:
    """Events one `every` apart from START on, each of a kind of its own."""
    return summed(
        Event(at_ns=START + at * every, flow_id=f"f{at:06d}", good=word, weight=weight, kind=at)
        for at, word in enumerate(good)
    )


def objective(target: str, slice_s: int | None = None, wanted: str | None = None) -> Objective:
    """A target as text, so that it is exact."""
    return Objective(
        name="objective",
        target=Fraction(target),
        slice_ns=None if slice_s is None else slice_s * S,
        slice_target=None if wanted is None else Fraction(wanted),
    )
