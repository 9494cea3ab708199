"""What a team declares of its flows: steps, what undoes them, pivot, terminal states.

A declaration is evidence of grade 3 (DESIGN section 6): explicit attributes and links of a
recording win over it, names and words give way to it. Roles and order as in Richardson,
Microservices Patterns (2018), chapter 4: compensatable steps, one pivot, retriable steps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from analyzer.derive.settings import DeriveSettings
from analyzer.derive.steps import Draft

FLOWS_MAX: Final = 200
STEPS_MAX: Final = 500
GRADE: Final = 3
ENDINGS: Final = ("succeeded", "failed")
_STEP_KEYS: Final[Mapping[str, type]] = {
    "name": str,
    "compensated_by": str,
    "pivot": bool,
    "retriable": bool,
    "lock": bool,
    "optional": bool,
}
_FLOW_KEYS: Final = ("steps", "terminal")

Path = tuple[str | int, ...]
"""Where in the declarations: names of tables and keys, and places in lists from 0."""


class DeclarationError(ValueError):
    """A declaration that cannot be: `path` says where."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredStep:
    """One step, by its saga step's name or its operation.

    `lock` says that it marks its resource as in use until the flow ends (a semantic lock);
    `optional` that a flow may leave it out. After the pivot nothing may need undoing.
    """

    name: str
    compensated_by: str | None = None
    pivot: bool = False
    retriable: bool = False
    lock: bool = False
    optional: bool = False

    @property
    def role(self) -> str | None:
        """The saga role that follows; None for a step that changes nothing."""
        if self.pivot:
            return "pivot"
        if self.retriable:
            return "retriable"
        return "compensatable" if self.compensated_by is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredFlow:
    """The steps of flows of a name in their order; `terminal` are states to succeeded or failed."""

    name: str
    steps: Sequence[DeclaredStep]
    terminal: Mapping[str, str] = field(default_factory=dict)

    @property
    def compensated_by(self) -> dict[str, str]:
        """Name of a compensation to the name of the step it undoes."""
        return {step.compensated_by: step.name for step in self.steps if step.compensated_by}


def declared_flows(tables: Mapping[str, Any]) -> dict[str, DeclaredFlow]:
    """Declarations by flow name, out of `[declared.NAME]` tables. DeclarationError on the first
    fault."""
    if len(tables) > FLOWS_MAX:
        raise DeclarationError((), f"{len(tables)} flows are declared; at most {FLOWS_MAX} may be")
    return {name: _flow(name, table) for name, table in tables.items()}


def _flow(name: str, table: Any) -> DeclaredFlow:
    if not isinstance(table, dict):
        raise DeclarationError((name,), f"{name} must be a table, as in [declared.{name}]")
    _known(table, _FLOW_KEYS, (name,))
    entries = table.get("steps")
    if not isinstance(entries, list) or not entries:
        raise DeclarationError((name,), f"[declared.{name}] needs steps, a list of tables")
    if len(entries) > STEPS_MAX:
        raise DeclarationError((name, "steps"), f"{len(entries)} steps; at most {STEPS_MAX} may be")
    steps = [_step(entry, (name, "steps", at)) for at, entry in enumerate(entries)]
    _consistent(steps, (name, "steps"))
    return DeclaredFlow(name=name, steps=steps, terminal=_terminal(table.get("terminal", {}), name))


def _known(table: Mapping[str, Any], keys: Sequence[str], path: Path) -> None:
    for key in table:
        if key not in keys:
            raise DeclarationError((*path, key), f"there is no {key}; there are {', '.join(keys)}")


def _step(entry: Any, path: Path) -> DeclaredStep:
    if not isinstance(entry, dict):
        raise DeclarationError(path, "a step is a table with at least a name")
    _known(entry, tuple(_STEP_KEYS), path)
    for key, value in entry.items():
        kind = _STEP_KEYS[key]
        if type(value) is not kind or value == "":
            said = "true or false" if kind is bool else "text that is not empty"
            raise DeclarationError((*path, key), f"{key} must be {said}")
    if "name" not in entry:
        raise DeclarationError(path, "a step needs a name")
    if entry.get("pivot") and entry.get("compensated_by"):
        raise DeclarationError(
            (*path, "pivot"), f"{entry['name']} is the pivot, so nothing may undo it"
        )
    if entry.get("pivot") and entry.get("retriable"):
        raise DeclarationError((*path, "retriable"), f"{entry['name']} is the pivot and retriable")
    return DeclaredStep(**entry)


def _consistent(steps: Sequence[DeclaredStep], path: Path) -> None:
    names: dict[str, int] = {}
    undoing: dict[str, int] = {}
    pivot: int | None = None
    for at, step in enumerate(steps):
        if step.name in names:
            raise DeclarationError((*path, at, "name"), f"{step.name} is declared twice")
        names[step.name] = at
        if step.pivot and pivot is not None:
            raise DeclarationError(
                (*path, at, "pivot"), f"{step.name} is a second pivot after {steps[pivot].name}"
            )
        if step.compensated_by and pivot is not None:
            raise DeclarationError(
                (*path, at, "compensated_by"),
                f"{step.name} is after the pivot {steps[pivot].name}: it may not need undoing",
            )
        pivot = at if step.pivot else pivot
        if step.compensated_by in undoing:
            raise DeclarationError(
                (*path, at, "compensated_by"),
                f"{step.compensated_by} undoes {steps[undoing[step.compensated_by]].name} already",
            )
        if step.compensated_by:
            undoing[step.compensated_by] = at
    for name, at in undoing.items():
        if name in names:
            raise DeclarationError(
                (*path, at, "compensated_by"), f"{name} is a step; a compensation is no step itself"
            )


def _terminal(states: Any, name: str) -> dict[str, str]:
    path: Path = (name, "terminal")
    if not isinstance(states, dict):
        raise DeclarationError(path, 'terminal is a table, as in { paid = "succeeded" }')
    for state, ending in states.items():
        if ending not in ENDINGS:
            raise DeclarationError(
                (*path, state), f"the terminal state {state} is one of {', '.join(ENDINGS)}"
            )
    return {plain_word(state): ending for state, ending in states.items()}


def plain_word(word: str) -> str:
    """A status word as it is compared."""
    return word.strip().lower().replace("-", "_").replace(" ", "_")


def settings_of(settings: DeriveSettings, declared: DeclaredFlow | None) -> DeriveSettings:
    """The settings for flows of one name: what is declared of them wins over what holds for all."""
    if declared is None:
        return settings
    good = {word for word, ending in declared.terminal.items() if ending == "succeeded"}
    bad = set(declared.terminal) - good
    return replace(
        settings,
        compensated_by={**settings.compensated_by, **declared.compensated_by},
        success_words=(settings.success_words | good) - bad,
        abort_words=(settings.abort_words | bad) - good,
    )


def declare_roles(drafts: Sequence[Draft], declared: DeclaredFlow | None) -> None:
    """Give steps the roles they are declared to have, before anything recorded overrules that."""
    if declared is None:
        return
    roles = {step.name: step.role for step in declared.steps if step.role is not None}
    roles |= dict.fromkeys(declared.compensated_by, "compensation")
    for draft in drafts:
        role = roles.get(draft.name) or roles.get(draft.first.operation)
        if role is not None:
            draft.role, draft.role_grade = role, GRADE
