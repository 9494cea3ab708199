"""How code is run in a replay, and how far its times may be off."""

from dataclasses import dataclass, field

MILLISECOND_NS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """What to run: `module:function`, by which interpreter, with which folders on its path.

    `environment` is the child's own. With `isolate` each flow has a process of its own, forked
    after the imports, so that no flow sees what another left behind. With `debug` the child has the
    terminal, and pdb begins with the function.
    """

    name: str
    python: str
    path: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    isolate: bool = True
    debug: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSettings:
    """`gap_max_ns` is the most time the recorded process may have spent on its own between an
    answer and its next request; more is a wait that the code under test does not do.
    Where the flow was slower there than 95 % of the flows of its kind, that much is added.
    `early_max_ns` is how much earlier than the code under test it may have been. Requests made at
    one moment began within `apart_max_ns` of each other.
    """

    gap_max_ns: int = 10 * MILLISECOND_NS
    early_max_ns: int = 1 * MILLISECOND_NS
    apart_max_ns: int = 5 * MILLISECOND_NS
    wall_s_max: float = 30.0
    steps_max: int = 1_000_000
    requests_max: int = 10_000
    noise: tuple[str, ...] = ()
