"""Findings of the population, and what the detectors that made them looked at.

They are true of one state of the data: a row carries the store's generation, and only rows of the
present generation are read back as findings. A coverage row (scope `coverage`) says of each
detector that it ran, on what, and by which code and settings.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from store import conclusion_rows, rows
from store.conclusions import Finding
from store.lease import Session

COVERAGE_SCOPE = "coverage"


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationState:
    """`coverage` are the coverage rows by detector, `made_of` their generations.

    `underived` counts traces whose flows are not derived yet.
    """

    generation: int
    underived: int
    coverage: Sequence[Finding]
    made_of: Sequence[int]

    @property
    def stale(self) -> bool:
        """Whether some detector's findings are of an earlier state of the data."""
        return any(generation != self.generation for generation in self.made_of)


def read_population_state(session: Session) -> PopulationState:
    """What the population's detectors looked at last, by detector."""
    generation, underived = session.row("read/population_generation")
    found = session.rows("read/population_coverage")
    return PopulationState(
        generation=generation,
        underived=underived,
        coverage=tuple(conclusion_rows.finding_of(row[1:]) for row in found),
        made_of=tuple(row[0] for row in found),
    )


def replace_population(session: Session, *, generation: int, findings: Sequence[Finding]) -> bool:
    """Put these in the place of all that was ever said of the population, in one write.

    False, and nothing done, when data came in or went since `generation` was read: judge again.
    """
    incoming = rows.table(
        map(conclusion_rows.finding_row, findings), conclusion_rows.FINDING_SCHEMA
    )
    with session.transaction():
        if session.row("read/generation") != (generation,):
            return False
        session.run("write/delete_population")
        session.run_over("write/findings", "incoming", incoming)
    return True
