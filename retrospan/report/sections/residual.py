"""What was not undone: the list a person works through."""

from retrospan.canonical import money
from retrospan.report import bases
from retrospan.report.facts import IncidentFacts
from retrospan.report.model import Block, EvidenceLog, Section
from retrospan.report.numbers import plural
from store.conclusions import Verdict

ROWS_MAX = 50
NO_SAGA = "No saga was verified in this window: no data."


def section(facts: IncidentFacts, log: EvidenceLog) -> Section:
    found = bases.residuals(facts)
    basis = bases.residual_basis(facts)
    blocks: list[Block] = []
    if not facts.sagas_inside:
        blocks.append(log.say(bases.verdicts(facts), NO_SAGA))
    elif not found:
        blocks.append(log.say(basis, "No effect was found left standing."))
    else:
        rows = [
            [
                one.flow_id,
                one.kind,
                one.effect.step,
                one.effect.callee,
                one.effect.resource or "–",
                money(one.effect.amount) or "not recorded",
                one.effect.currency or "–",
                one.effect.external_ref or "–",
                one.effect.idempotency_key or "–",
            ]
            for one in found
        ]
        blocks += [
            log.say(
                basis,
                "These {effects} took place and nothing recorded afterwards balances them. "
                "Check each with the system that holds it before undoing it.",
                effects=plural(len(found), "effect"),
            ),
            log.table(
                basis,
                "Effects left standing",
                [
                    "flow",
                    "kind",
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
