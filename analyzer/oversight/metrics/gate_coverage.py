"""How many actions a gate let pass before they began, and what the others are."""

from collections.abc import Sequence

from analyzer.oversight.joined import Gate, Joined, Payload
from analyzer.oversight.measure import Case, Measure, Metric, share

NAME = "gate_coverage"


def let_pass(it: Joined) -> bool | None:
    """Whether a gate, or the person it asked, let it pass before; None where no time is known."""
    return None if it.gate is Gate.UNTIMED else it.gate is Gate.BEFORE and bool(it.permitted)


def _measure(case: Case) -> Sequence[Measure]:
    acted = [it for it in case.decisions if it.first_action is not None]
    known = [it for it in acted if let_pass(it) is not None]
    untimed = len(acted) - len(known)
    against = sum(it.gate is not Gate.MISSING and it.permitted is False for it in known)
    compared = [it for it in acted if it.payload is not Payload.UNKNOWN]
    same = sum(it.payload is Payload.SAME for it in compared)
    return [
        share(
            NAME, sum(bool(let_pass(it)) for it in known), len(known), untimed,
            note="of what was carried out: a gate, or the person it asked, let it pass before",
        ),
        share(
            f"{NAME}.after_action", _count(known, Gate.AFTER), len(known), untimed,
            note="carried out before their gate had answered",
        ),
        share(
            f"{NAME}.missing", _count(known, Gate.MISSING), len(known), untimed,
            note="carried out, and no gate is recorded",
        ),
        share(f"{NAME}.against", against, len(known), untimed, note="carried out though refused"),
        share(
            "payload_agreement", same, len(compared), len(acted) - len(compared),
            note="the executed request has the hash the decision names",
        ),
    ]  # fmt: skip


def _count(among: Sequence[Joined], gate: Gate) -> int:
    return sum(it.gate is gate for it in among)


METRIC = Metric(name=NAME, title="actions that a gate let pass before they began", measure=_measure)
