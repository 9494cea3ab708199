"""How often a rule or a default decided in the place of the model.

A decision is a fallback when its record says so (`fallback: true`), or its model's name or provider
is one of `fallback_models`.
"""

from collections.abc import Sequence

from analyzer.oversight.joined import Joined
from analyzer.oversight.measure import Case, Measure, Metric, share
from analyzer.oversight.settings import OversightSettings

NAME = "fallback_rate"


def _is_fallback(it: Joined, settings: OversightSettings) -> bool | None:
    told = it.decision.record.get("fallback")
    if isinstance(told, bool):
        return told
    model = it.decision.record.get("model")
    provider = model.get("provider") if isinstance(model, dict) else None
    if not it.decision.model_name:
        return None
    words = {it.decision.model_name.lower(), str(provider or "").lower()}
    return bool(words & set(settings.fallback_models))


def _measure(case: Case) -> Sequence[Measure]:
    told = [_is_fallback(it, case.settings) for it in case.decisions]
    known = [it for it in told if it is not None]
    return [
        share(NAME, sum(known), len(known), len(told) - len(known),
              note="unknown: neither model nor fallback is recorded"),
    ]  # fmt: skip


METRIC = Metric(
    name=NAME, title="decided by a rule or default instead of the model", measure=_measure
)
