"""The service level objectives a report holds its incident to, and where they stand.

A report names its files, without folders: `report verify` finds them beside the report, unless it
is told where they are. A name from a report is only ever taken for a file of that folder.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analyzer.slo.model import Slo
from analyzer.slo.openslo import read_slos
from analyzer.slo.settings import SloSettings
from retrospan.config import Settings

FILE_NAME = re.compile(r"[\w.-]{1,200}\.ya?ml", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Objectives:
    """Objectives, and the names of the files they were read from."""

    slos: Sequence[Slo] = ()
    names: Sequence[str] = ()


def objectives(given: Sequence[Path], settings: Settings) -> Objectives:
    """Of the files that were named, else of those in `[slo]` of the configuration."""
    paths = list(given) or [
        (settings.source or Path()).parent / name
        for name in settings.fill("slo", SloSettings).files
    ]
    return Objectives(slos=read_slos(paths), names=sorted({path.name for path in paths}))


def beside(names: Sequence[str], folder: Path) -> list[Path]:
    """Those of a report's files that stand in a folder."""
    return [
        folder / name for name in names if FILE_NAME.fullmatch(name) and (folder / name).is_file()
    ]
