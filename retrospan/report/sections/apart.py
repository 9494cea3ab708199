"""What sets the affected flows apart, and which versions changed."""

from analyzer.contrast import Difference, Term
from analyzer.releases.compare import Comparison, ReleaseVerdict
from retrospan.release_rows import comparison_row, rollback_row
from retrospan.report import bases
from retrospan.report.facts import IncidentFacts
from retrospan.report.model import Basis, Block, EvidenceLog, Section
from retrospan.report.numbers import of, plural
from retrospan.text import Words
from retrospan.timespan import humane, utc
from store.model import JsonValue

ROWS_MAX = 12
DURATION = "duration_ns"


def section(facts: IncidentFacts, log: EvidenceLog) -> Section:
    return Section(
        key="apart",
        title="What sets affected flows apart, and what changed",
        blocks=[*_contrast(facts, log), *_releases(facts, log)],
    )


def _contrast(facts: IncidentFacts, log: EvidenceLog) -> list[Block]:
    found = facts.contrast
    if found is None or facts.contrasted is None:
        return []
    groups, _ = facts.contrasted
    more = [one for one in found.differences if one.more]
    basis = Basis(
        question=groups.question,
        parameters={**bases.window(facts), "q_max": "0.05"},
        data=[
            [*groups.flow_ids],
            [found.n_selected, found.n_baseline, found.tested],
            *(_difference_data(one) for one in found.differences),
        ],
    )
    if not found.n_selected or not found.n_baseline:
        said = "Affected flows cannot be compared with others: one of the groups is empty."
        return [log.say(basis, said)]
    given = sum(one.given for one in more)
    said = (
        "{selected} against {baseline}: {tested} were tested at a false discovery rate of 5 %, "
        "{more} are more frequent among the affected; known before the flow began: {given} of "
        "them. An association, not a cause: the others may be its consequence."
    )
    blocks: list[Block] = [
        log.say(
            basis,
            said,
            selected=plural(found.n_selected, "affected flow"),
            baseline=plural(found.n_baseline, "other"),
            tested=plural(found.tested, "fact"),
            more=len(more),
            given=given,
        )
    ]
    if more:
        ordered = [one for one in more if one.given] + [one for one in more if not one.given]
        rows = [_difference_row(one) for one in ordered]
        blocks.append(
            log.table(
                basis,
                "More frequent among affected flows, strongest first; given before the flow on top",
                ["what", "affected", "others", "given before"],
                rows,
                rows_max=ROWS_MAX,
                more="retrospan flows contrast",
            )
        )
    return blocks


def _difference_data(one: Difference) -> JsonValue:
    return [
        [
            [term.attribute.source, term.attribute.service, term.attribute.name, term.value]
            for term in one.terms
        ],
        one.selected,
        one.baseline,
    ]


def _difference_row(one: Difference) -> list[object]:
    said = " and ".join(_said(term) for term in one.terms)
    return [
        said,
        of(one.selected, one.n_selected),
        of(one.baseline, one.n_baseline),
        Words("yes" if one.given else "no"),
    ]


def _said(term: Term) -> str:
    """One fact as a person would say it."""
    name, value = term.attribute.name, term.value
    if name.endswith(DURATION) and term.above is not None:
        name, value = f"{name.removesuffix(DURATION)}duration", f"> {humane(int(term.above))}"
    elif term.above is None:
        value = f"= {value}"
    return " ".join(filter(None, (term.attribute.service, name, value)))


def _releases(facts: IncidentFacts, log: EvidenceLog) -> list[Block]:
    found = facts.releases
    if found is None:
        return []
    near = [one for one in found.comparisons if _near(facts, one)]
    basis = Basis(
        question="versions compared with the ones before them",
        parameters={"since_ns": found.since_ns, "until_ns": found.until_ns},
        data=[comparison_row(one) for one in found.comparisons]
        + [rollback_row(one) for one in found.rollbacks],
    )
    if not found.comparisons:
        return [log.say(basis, "No service, flow, model, policy or flag has two versions here.")]
    failed = sum(one.verdict is ReleaseVerdict.FAIL for one in near)
    blocks: list[Block] = [
        log.say(
            basis,
            "{changes} of a version that was new by the window's end with the one before it; in "
            "{failed} of them the newer one did worse by more than chance.",
            changes=plural(len(near), "comparison"),
            failed=failed,
        )
    ]
    if near:
        blocks.append(
            log.table(
                basis,
                "Changes of version",
                ["new from (UTC)", "of", "versions", "design", "verdict", "because"],
                [
                    [
                        utc(one.pair.candidate.since_ns, 0),
                        f"{one.pair.candidate.kind} {one.pair.candidate.subject}",
                        f"{one.pair.baseline.version} → {one.pair.candidate.version}",
                        Words(one.pair.design),
                        Words(one.verdict.value),
                        one.reason or "–",
                    ]
                    for one in sorted(near, key=lambda one: one.verdict is not ReleaseVerdict.FAIL)
                ],
                rows_max=ROWS_MAX,
                more="retrospan releases report",
            )
        )
    for one in found.rollbacks[:ROWS_MAX]:
        blocks.append(
            log.say(
                basis,
                "At {at} UTC {kind} {subject} went back from {withdrawn} to {back}; whether that "
                "restored it: {restored}.",
                at=utc(one.at_ns, 0),
                kind=one.withdrawn.kind,
                subject=one.withdrawn.subject,
                withdrawn=one.withdrawn.version,
                back=one.back_to,
                restored=one.restored,
            )
        )
    return blocks


def _near(facts: IncidentFacts, one: Comparison) -> bool:
    return one.pair.candidate.since_ns <= facts.incident.end_ns
