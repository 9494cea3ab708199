"""All checks of one flow's saga, and what they leave for a person to repair."""

from functools import lru_cache

import analyzer.sagas as package
from analyzer.discovery import discover, no_twins
from analyzer.sagas.check import ORDER, Check, answer, labels
from analyzer.sagas.coverage import Coverage
from analyzer.sagas.residue import residual_effects
from analyzer.sagas.view import ROLE_ATTRIBUTES, SagaView
from store.conclusions import CheckResult, Flow, SagaVerdict, Verdict

ABOUT_COMPENSATIONS = frozenset({"S2", "S3", "S4", "S5", "S6", "S7", "S9", "S14"})
RESTING_ON_ROLES = ABOUT_COMPENSATIONS | {"S1", "S8", "S10", "S12", "S13"}


@lru_cache(maxsize=1)
def checks() -> tuple[Check, ...]:
    """All saga checks, in the order of their numbers."""
    found = discover(package, "CHECK", Check, r"s\d\d")
    no_twins({name: check.id for name, check in found.items()})
    return tuple(found.values())


def verify(flow: Flow, coverage: Coverage) -> SagaVerdict:
    """The verdict on one flow's saga: the worst of its checks."""
    view = SagaView(flow=flow, coverage=coverage)
    results = [_no_more_than_known(view, check.run(view)) for check in checks()]
    applicable = [it.verdict for it in results if it.verdict is not Verdict.NOT_APPLICABLE]
    saga_ids = sorted({step.saga_id for step in flow.steps if step.saga_id is not None})
    return SagaVerdict(
        flow_id=flow.flow_id,
        saga_id=saga_ids[0] if len(saga_ids) == 1 else flow.flow_id,
        name=flow.name,
        verdict=min(applicable, key=ORDER.index, default=Verdict.NOT_APPLICABLE),
        checks=results,
        residual_effects=residual_effects(view),
    )


def _no_more_than_known(view: SagaView, result: CheckResult) -> CheckResult:
    """Roles guessed from words accuse nobody and acquit nobody; nor do roles left out acquit."""
    good = result.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE)
    if good and result.check in ABOUT_COMPENSATIONS and view.perhaps_compensations:
        return _perhaps(view, result)
    if not view.words_alone or result.check not in RESTING_ON_ROLES:
        return result
    lowered = {Verdict.VIOLATION: Verdict.SUSPECTED, Verdict.PASS: Verdict.UNKNOWN}
    if result.verdict not in lowered:
        return result
    return CheckResult(
        check=result.check,
        verdict=lowered[result.verdict],
        message=f"{result.message} (roles guessed from names)",
        evidence=result.evidence,
        missing=sorted({*result.missing, *ROLE_ATTRIBUTES}),
    )


def _perhaps(view: SagaView, result: CheckResult) -> CheckResult:
    return answer(
        result.check,
        Verdict.UNKNOWN,
        f"{labels(view.perhaps_compensations)} has no role: it may be a compensation",
        view.perhaps_compensations,
        ROLE_ATTRIBUTES,
    )
