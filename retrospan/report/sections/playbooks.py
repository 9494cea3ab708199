"""The runbook pages that apply."""

from collections import Counter

from retrospan.documents import finding_row
from retrospan.report import bases
from retrospan.report.facts import IncidentFacts
from retrospan.report.model import Basis, EvidenceLog, Section
from retrospan.report.numbers import plural
from retrospan.runbooks import SAGA_CHECKS, runbook
from store.conclusions import Verdict

TOLD = (Verdict.VIOLATION, Verdict.SUSPECTED)


def section(facts: IncidentFacts, log: EvidenceLog) -> Section:
    pages: Counter[tuple[str, str]] = Counter(
        (runbook(finding.detector), finding.detector)
        for finding in facts.findings_here
        if finding.verdict in TOLD
    )
    pages.update(
        (SAGA_CHECKS, check.check)
        for saga in facts.sagas_inside
        for check in saga.checks
        if check.verdict in TOLD
    )
    basis = Basis(
        question="violated or suspected checks of the window, by runbook",
        parameters=bases.window(facts),
        data=[finding_row(finding) for finding in facts.findings_here]
        + [
            [saga.flow_id, saga.saga_id, check.check, check.verdict.value]
            for saga in facts.sagas_inside
            for check in saga.checks
        ],
    )
    ordered = sorted(pages, key=lambda page: (-pages[page], page))
    blocks = [
        log.say(
            basis,
            "{pages} apply: each says what the finding means, how to confirm it, what to do now "
            "and how to prevent it.",
            pages=plural(len({page for page, _ in pages}), "runbook page"),
        )
        if pages
        else log.say(basis, "No check of this window is violated or suspected: no runbook applies.")
    ]
    if not pages:
        return Section(key="playbooks", title="Runbooks that apply", blocks=blocks)
    table = log.table(
        basis,
        "Runbooks by the check that calls for them",
        ["check", "times (n)", "page"],
        [[check, pages[page, check], page] for page, check in ordered],
    )
    return Section(key="playbooks", title="Runbooks that apply", blocks=[*blocks, table])
