"""What the user may set of contracts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

FILES_MAX: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractSettings:
    """`services` names the OpenAPI file or files of each service; paths start at the configuration
    file. `bodies_per_shape_max`: of all bodies of one operation, status and shape, how many are
    validated. `drift_n_min`: how many bodies a window needs before a change in it is told."""

    services: Mapping[str, Any] = field(default_factory=dict)
    bodies_per_shape_max: int = 200
    drift_n_min: int = 20

    def __post_init__(self) -> None:
        if not isinstance(self.services, dict):
            raise ValueError("services must be a table: service = file, or a list of files")
        for service, files in self.services.items():
            listed = files if isinstance(files, list) else [files]
            if not listed or not all(isinstance(one, str) and one for one in listed):
                raise ValueError(f"services.{service} must be a file or a list of files")
        if sum(len(self.files(service)) for service in self.services) > FILES_MAX:
            raise ValueError(f"more than {FILES_MAX} files")
        if self.bodies_per_shape_max < 1 or self.drift_n_min < 1:
            raise ValueError("bodies_per_shape_max and drift_n_min are at least 1")

    def files(self, service: str) -> list[Path]:
        """The files of a service, as written."""
        written = self.services[service]
        return [Path(one) for one in (written if isinstance(written, list) else [written])]
