"""What is known to be the cause of a recorded incident."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """`causes`: any of these names is right; empty where abstaining is. `decoys` are changes that
    must not be blamed; `sort` is the kind of fault."""

    name: str
    causes: tuple[str, ...]
    decoys: tuple[str, ...] = ()
    sort: str = ""
