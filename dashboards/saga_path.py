"""The order of a saga's steps as a Mermaid text; recorded names cannot break out of it."""

import re
from collections.abc import Sequence
from itertools import pairwise

from store.conclusions import Step

STEP_COUNT_MAX = 24  # more would be drawn too small to read
LABEL_LENGTH_MAX = 60
_OUTSIDE = re.compile(r"[^\w .,:/()+\-–…✔✖↩⏱?]")


def saga_path(steps: Sequence[Step]) -> str | None:
    """Mermaid flowchart of the steps with a saga role; None when there is nothing to tell."""
    members = [step for step in steps if step.role or step.kind == "compensation"]
    members = [step for step in members if not step.parent_step_id] or members
    if not any(_undoes(step) for step in members) or len(members) > STEP_COUNT_MAX:
        return None
    number = {step.step_id: f"n{place}" for place, step in enumerate(members)}
    lines = ["flowchart TD"]
    for step in members:
        left, right = ("([", "])") if _undoes(step) else ("[", "]")
        lines.append(f'  {number[step.step_id]}{left}"{_label(step)}"{right}')
    ids = list(number.values())
    lines += [f"  {before} --> {after}" for before, after in pairwise(ids)]
    for step in members:
        target = number.get(step.compensates or "")
        if target:
            word = "undoes" if step.outcome == "ok" else "could not undo"
            lines.append(f"  {number[step.step_id]} -. {word} .-> {target}")
    lines += ["  classDef bad stroke:#D55E00,stroke-width:3px"]
    bad = [number[step.step_id] for step in members if step.outcome not in ("ok", "unknown")]
    if bad:
        lines.append(f"  class {','.join(bad)} bad")
    return "\n".join(lines)


def sanitised(text: str) -> str:
    """Text without anything Mermaid, HTML or Markdown could read as more than text."""
    words = " ".join(_OUTSIDE.sub(" ", text).split())
    return words[:LABEL_LENGTH_MAX] or "unnamed"


def _undoes(step: Step) -> bool:
    return step.role == "compensation" or step.kind == "compensation"


def _label(step: Step) -> str:
    marks = {"ok": "✔", "error": "✖", "timeout": "⏱", "cancelled": "✖"}
    mark = "↩ " if _undoes(step) else ""
    tries = f" ({len(step.attempts)} tries)" if len(step.attempts) > 1 else ""
    return f"{mark}{marks.get(step.outcome, '?')} {sanitised(step.name)}{tries}"
