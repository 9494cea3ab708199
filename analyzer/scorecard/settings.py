"""Who owns which service."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from analyzer.slo.model import Slo

UNKNOWN = "unknown"
TEAM_LABELS = ("team", "owner", "service.team")


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """The team that owns each service; a service nobody claims has none."""

    teams: Mapping[str, str] = field(default_factory=dict)

    def of(self, service: object) -> str:
        """The owner's name, `unknown` where nobody said."""
        return self.teams.get(str(service), UNKNOWN)


def owners_of(declared: Mapping[str, Sequence[str]], slos: Sequence[Slo] = ()) -> Owners:
    """From `[conformance.owners]` (services by team), else from the team label of a service's SLOs.

    A service that several teams claim in the same way belongs to none of them.
    """
    labels = (
        (slo.service, slo.labels[name])
        for slo in slos
        for name in TEAM_LABELS
        if name in slo.labels
    )
    said = ((service, team) for team, services in declared.items() for service in services)
    return Owners(teams=_undisputed(labels) | _undisputed(said))


def _undisputed(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    claims: dict[str, set[str]] = {}
    for service, team in pairs:
        claims.setdefault(service, set()).add(team)
    return {
        service: min(teams) if len(teams) == 1 else UNKNOWN
        for service, teams in sorted(claims.items())
    }
