"""What a decision turned out to be, from the label learned later."""

from analyzer.oversight.joined import Joined
from analyzer.oversight.settings import OversightSettings


def was_right(it: Joined, settings: OversightSettings) -> bool | None:
    """Whether the choice was right; None without a label, or with one whose meaning is not told.

    `right` and `wrong` of the settings say what a label means; else a label that is one of the
    candidates is right when it is the one that was chosen.
    """
    outcome = it.decision.record.get("outcome")
    label = outcome.get("label") if isinstance(outcome, dict) else None
    if not isinstance(label, str) or not label:
        return None
    pair = f"{it.decision.chosen} {label}".lower()
    if pair in settings.right:
        return True
    if pair in settings.wrong:
        return False
    candidates = it.decision.record.get("candidates")
    actions = {
        entry.get("action") for entry in (candidates if isinstance(candidates, list) else [])
        if isinstance(entry, dict)
    }  # fmt: skip
    return label == it.decision.chosen if label in actions else None
