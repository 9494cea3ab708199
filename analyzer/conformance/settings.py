"""What can be declared about flows, services and their calls."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final

from analyzer.derive.declared import DeclaredFlow

ARROW: Final = "->"
SLICES_MAX: Final = 100
LISTS: Final = (
    "orchestrators", "critical_flows", "allowed_calls", "token_lifetime_attributes", "production",
    "staging",
)  # fmt: skip
PATTERN_CHARACTERS_MAX: Final = 200
PATH_KEYS: Final = frozenset({"old", "new", "fields", "must_agree", "retired"})


def _texts(name: str, value: object) -> None:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ValueError(f"{name} must be a list of texts")
    if not all(isinstance(text, str) for text in value):
        raise ValueError(f"{name} must be texts")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConventionRule:
    """An attribute that spans should bear: on spans of a `kind` ("" for all) or, with
    `on = "resource"`, on their resource; with `pattern`, a whole match of its text."""

    name: str
    attribute: str
    on: str = "span"
    kind: str = ""
    pattern: str = ""

    def __post_init__(self) -> None:
        if self.on not in ("span", "resource"):
            raise ValueError(f"{self.name}: on must be span or resource, this is {self.on!r}")
        if len(self.pattern) > PATTERN_CHARACTERS_MAX:
            raise ValueError(
                f"{self.name}: a pattern has at most {PATTERN_CHARACTERS_MAX} characters"
            )
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"{self.name}: pattern {self.pattern!r}: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformanceSettings:
    """The table `[conformance]`; what is left out is not judged.

    `orchestrators` are the services inside the declared boundary, `critical_flows` the names of
    flows that must run under them. `allowed_calls` are all pairs that may call, "caller -> callee"
    with `*`. `require_tls` and `require_authentication` hold for all calls. `production` and
    `staging` are values of deployment.environment.name; `staging_coverage_min` is the share of
    production flows whose variant staging must have seen. `paths` are migrations: `old` and `new`
    operations ("callee METHOD /path", `*` allowed); answers of both in one flow are compared, or
    only `fields` of them (JSON pointers); with `must_agree` they must be equal, with `retired` the
    old path must not be called. `owners` are services by team, `declared` the flows of
    `[declared.NAME]`, `conventions` the rules of `convention_file`, each of which must hold for
    `convention_share_min` of a service's spans.
    """

    orchestrators: Sequence[str] = ()
    critical_flows: Sequence[str] = ()
    allowed_calls: Sequence[str] = ()
    forbid_cycles: bool = False
    require_tls: bool = False
    require_authentication: bool = False
    token_lifetime_max_s: int | None = None
    token_lifetime_attributes: Sequence[str] = (
        "retrospan.auth.token.lifetime_s",
        "oauth.token.expires_in",
    )
    production: Sequence[str] = ("production", "prod")
    staging: Sequence[str] = ("staging", "stage")
    staging_coverage_min: float | None = None
    message_lag_max_ms: int | None = None
    messages_must_arrive: bool = False
    message_grace_ms: int = 60_000
    slices: int = 10
    paths: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    owners: Mapping[str, Sequence[str]] = field(default_factory=dict)
    declared: Mapping[str, DeclaredFlow] = field(default_factory=dict)
    convention_file: str = ""
    conventions: Sequence[ConventionRule] = ()
    convention_share_min: float | None = None

    def __post_init__(self) -> None:
        for name in LISTS:
            _texts(name, getattr(self, name))
        for team, services in self.owners.items():
            _texts(f"owners.{team}", services)
        for pair in self.allowed_calls:
            if pair.count(ARROW) != 1 or not all(map(str.strip, pair.split(ARROW))):
                raise ValueError(f"allowed_calls: {pair!r} is not written as 'caller -> callee'")
        for name, path in self.paths.items():
            if not {"old", "new"} <= set(path) <= PATH_KEYS:
                raise ValueError(
                    f"paths.{name} has old and new, and may have fields, must_agree, retired"
                )
            _texts(f"paths.{name}: old and new", [path["old"], path["new"]])
            _texts(f"paths.{name}.fields", path.get("fields", []))
            if any(not field.startswith("/") for field in path.get("fields", [])):
                raise ValueError(f"paths.{name}.fields are JSON pointers, as in /price")
        if not 1 <= self.slices <= SLICES_MAX:
            raise ValueError(f"slices must be 1 to {SLICES_MAX}")
        for name in ("staging_coverage_min", "convention_share_min"):
            share = getattr(self, name)
            if share is not None and not 0 <= share <= 1:
                raise ValueError(f"{name} must be 0 to 1")

    def allows(self, caller: str, callee: str) -> bool:
        """Whether some declared pair covers the call."""
        return any(
            fnmatchcase(caller, pair.split(ARROW)[0].strip())
            and fnmatchcase(callee, pair.split(ARROW)[1].strip())
            for pair in self.allowed_calls
        )

    def owner_of(self, service: str) -> str:
        """The team that owns a service, "" when none is declared to."""
        return min((team for team, owned in self.owners.items() if service in owned), default="")
