"""What was not undone: the list a person works through."""

from retrospan.documents import money
from retrospan.report import bases
from retrospan.report.facts import IncidentFacts
from retrospan.report.model import Block, EvidenceLog, Section
from retrospan.report.numbers import plural
from store.conclusions import Verdict

ROWS_MAX = 50
NO_SAGA = "No saga was verified in this window: no data."


def section(facts: IncidentFacts, log: EvidenceLog) -> Section:
    pairs = bases.residuals(facts)
    basis = bases.residual_basis(facts)
    blocks: list[Block] = []
    if not facts.sagas_inside:
        blocks.append(log.say(bases.verdicts(facts), NO_SAGA))
    elif not pairs:
        blocks.append(log.say(basis, "No effect was found left standing."))
    else:
        rows = [
            [
                flow_id,
                effect.step,
                effect.callee,
                effect.resource or "–",
                money(effect.amount) or "not recorded",
                effect.currency or "–",
                effect.external_ref or "–",
                effect.idempotency_key or "–",
            ]
            for flow_id, effect in pairs
        ]
        blocks += [
            log.say(
                basis,
                "These {effects} took place and no completed compensation was recorded for them. "
                "Check each with the system that holds it before undoing it.",
                effects=plural(len(pairs), "effect"),
            ),
            log.table(
                basis,
                "Effects left standing",
                [
                    "flow",
                    "step",
                    "callee",
                    "resource",
                    "amount",
                    "currency",
                    "external reference",
                    "idempotency key",
                ],
                rows,
                rows_max=ROWS_MAX,
                more="retrospan sagas list --residual --format csv",
            ),
        ]
    blocks += _not_settled(facts, log)
    return Section(key="residual", title="What was not undone", blocks=blocks)


def _not_settled(facts: IncidentFacts, log: EvidenceLog) -> list[Block]:
    """Sagas where nobody can say yet whether something stands."""
    blocks: list[Block] = []
    for verdict, why in (
        (Verdict.SUSPECTED, "the evidence is too weak to accuse"),
        (Verdict.UNKNOWN, "data is missing"),
        (Verdict.OPEN, "the data ends before the answer"),
    ):
        count = sum(saga.verdict is verdict for saga in facts.sagas_inside)
        if count:
            blocks.append(
                log.say(
                    bases.verdicts(facts),
                    "{count} more ended {verdict}: " + why + ", so effects may stand there too.",
                    count=plural(count, "saga"),
                    verdict=verdict.value,
                )
            )
    return blocks
