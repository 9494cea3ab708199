"""How flows are put together and judged, as configured."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from analyzer.assign import AssignSettings
from analyzer.derive import DeclaredFlow, DeriveSettings
from analyzer.sagas.coverage import GRACE_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildSettings:
    """`declared` are the declared flows by their name."""

    assign: AssignSettings = field(default_factory=AssignSettings)
    derive: DeriveSettings = field(default_factory=DeriveSettings)
    grace_ns: int = GRACE_NS
    unknown_sampling: bool = False
    declared: Mapping[str, DeclaredFlow] = field(default_factory=dict)
