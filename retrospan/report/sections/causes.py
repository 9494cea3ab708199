"""What the incident may come from, and what replaying without it showed."""

from collections import Counter

from retrospan.cause_listing import cause_row
from retrospan.causes import Cause
from retrospan.incident_inputs import InputFile
from retrospan.report.facts import IncidentFacts
from retrospan.report.model import Basis, Block, EvidenceLog, Section, Statement
from retrospan.report.numbers import plural
from retrospan.text import Words
from store.model import JsonValue

CANDIDATES_MAX = 10
TOLD_MAX = 3
CONFIRMED = "confirmed"
CHANGED = frozenset({"version", "policy", "model", "flag", "change"})
NOT_ASKED = "Nobody asked what the incident comes from: no data."


def section(facts: IncidentFacts, log: EvidenceLog) -> Section:
    blocks: list[Block] = [first(facts, log)]
    found = facts.causes
    if found is not None and found.causes:
        blocks += _told(facts, log)
    if found is not None:
        blocks += [_given(facts, one, log) for one in found.inputs]
    if found is not None and found.ranking.unseen:
        blocks.append(
            log.say(
                basis_of(facts),
                "Evidence of these kinds was not there to look at: {kinds}.",
                kinds=", ".join(found.ranking.unseen),
            )
        )
    return Section(key="causes", title="Candidate causes", blocks=blocks)


def basis_of(facts: IncidentFacts) -> Basis:
    """All candidates with their parts, and every swap that was tried."""
    found = facts.causes
    incident = facts.incident
    data: list[JsonValue] = []
    if found is not None:
        data += [dict(cause_row(cause)) for cause in found.causes]
        data += [
            [trial.symptom, swap.kind, swap.name, swap.gone, swap.n, swap.unsure]
            for trial in found.trials
            for swap in trial.swaps
        ]
    return Basis(
        question="candidate causes of the incident, tried by replay with the answers of before",
        parameters={"incident_id": incident.incident_id, "start_ns": incident.start_ns},
        data=data,
    )


def first(facts: IncidentFacts, log: EvidenceLog) -> Statement:
    """The confirmed cause in a sentence, else that there is none."""
    basis, found = basis_of(facts), facts.causes
    if found is None:
        return log.say(basis, NOT_ASKED)
    if not found.causes:
        return log.say(basis, "No cause is named: {reason}.", reason=found.ranking.reason)
    confirmed = [one for one in found.causes if one.confirmation.status == CONFIRMED]
    if not confirmed:
        return log.say(
            basis,
            "None of {count} is confirmed by replay; the first of them is {kind} {name}.",
            count=plural(len(found.causes), "candidate cause"),
            kind=found.causes[0].candidate.kind,
            name=_name(found.causes[0]),
        )
    one = confirmed[0]
    others = sorted({_told_as(it) for it in confirmed if it.candidate.kind in CHANGED})
    if one.candidate.kind in CHANGED or not others:
        return log.say(
            basis,
            "Confirmed by replay as a cause: {kind} {name} ({reason}).",
            kind=one.candidate.kind,
            name=_name(one),
            reason=one.confirmation.reason,
        )
    return log.say(
        basis,
        "Confirmed by replay as a cause: {kind} {name} ({reason}). Confirmed too, of what was "
        "changed: {others}.",
        kind=one.candidate.kind,
        name=_name(one),
        reason=one.confirmation.reason,
        others=", ".join(others),
    )


def _told_as(cause: Cause) -> str:
    return f"{cause.candidate.kind} {_name(cause)}"


def _given(facts: IncidentFacts, file: InputFile, log: EvidenceLog) -> Statement:
    """A file that people gave: what its digest is, so that it can be held against the file."""
    return log.say(
        Basis(
            question="files given for the incident",
            parameters={"incident_id": facts.incident.incident_id, "kind": file.kind},
            data=[[file.name, file.sha256, file.records]],
        ),
        "Of the {kind} file {name} that was given (SHA-256 {sha256}), {records} around the "
        "incident were looked at.",
        kind=Words(file.kind),
        name=file.name,
        sha256=file.sha256,
        records=plural(file.records, "record"),
    )


def _told(facts: IncidentFacts, log: EvidenceLog) -> list[Block]:
    assert facts.causes is not None
    basis, causes = basis_of(facts), facts.causes.causes
    counted = Counter(cause.confirmation.status for cause in causes)
    rows = [
        [
            cause.rank,
            cause.candidate.kind,
            _name(cause),
            f"{cause.candidate.score:.2f}",
            Words(cause.confirmation.status),
            cause.confirmation.reason,
        ]
        for cause in causes
    ]
    clues = [
        [cause.rank, part, clue.detail, f"{clue.value:.2f}", clue.n]
        for cause in causes
        for part, clue in sorted(cause.candidate.parts.items())
    ]
    return [
        log.say(
            basis,
            "Of {count}, replay with the answers of before the incident confirmed {confirmed} and "
            "refuted {refuted}; {untested} could not be told. The score orders them and is no "
            "probability; a service and its operation are one cause told twice.",
            count=plural(len(causes), "candidate"),
            confirmed=counted[CONFIRMED],
            refuted=counted["refuted"],
            untested=counted["untested"],
        ),
        log.table(
            basis,
            "Candidates, and what replay says of each",
            ["rank", "kind", "name", "score", "replay", "because"],
            rows,
            rows_max=CANDIDATES_MAX,
            more="retrospan incidents show",
        ),
        log.table(
            basis,
            "What speaks for each candidate",
            ["rank", "evidence", "what was seen", "weight", "n"],
            clues,
            rows_max=CANDIDATES_MAX * TOLD_MAX,
            more="retrospan incidents show --json",
        ),
    ]


def _name(cause: Cause) -> str:
    """The name without the kind, which stands before it."""
    return cause.candidate.name.removeprefix(f"{cause.candidate.kind} ")
