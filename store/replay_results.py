"""What a replay gave, and how it differed from the recording."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from store.model import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """A typed difference between recording and replay.

    `kind` is one of DESIGN section 8's ten words; `path` a field path such as `request.amount`;
    `source` what the divergence follows from ("" for the first one); `line` the lines of the
    user's own code that did it, innermost first, "" where no code ran.
    """

    kind: str
    step_id: str
    recorded: JsonValue
    replayed: JsonValue
    path: str = ""
    source: str = ""
    line: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayResult:
    """What one replay of one recording gave.

    `verdict` is identical, equivalent, diverged or unreplayable. `digest` is the SHA-256 of the
    canonical event log. `flags` are the doubts the program had on the way, `answers` counts
    answers by rung. `claim` is C1 to C4 for scenarios, None for a control. `virtual_low_ns` and
    `virtual_high_ns` bound the virtual duration. `events` is the canonical event log itself.
    """

    flow_id: str
    mode: str
    verdict: str
    digest: str
    outcome: str
    virtual_duration_ns: int
    virtual_low_ns: int
    virtual_high_ns: int
    program_digest: str
    program_flows: int
    leave_one_out: bool
    flags: Sequence[str]
    divergences: Sequence[Divergence]
    answers: Mapping[str, int]
    scenario: str | None = None
    claim: str | None = None
    control_verdict: str | None = None
    control_digest: str | None = None
    reason: str = ""
    events: Sequence[Mapping[str, JsonValue]] = ()
