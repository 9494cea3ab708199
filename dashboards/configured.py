"""What the configuration says to the pages: the file the serving command was given."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import retrospan
from analyzer.slo.model import Slo
from analyzer.slo.openslo import read_slos
from analyzer.slo.settings import SloSettings
from dashboards.data import store_path
from retrospan.config import CONFIG_VARIABLE, Settings
from retrospan.edge import Edge

SHIPPED = Path(retrospan.__file__).parent / "slos"


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Objectives and the files they stand in; `own` is False for those that come with retrospan."""

    slos: Sequence[Slo]
    files: Sequence[Path]
    own: bool

    @property
    def stamp(self) -> tuple[tuple[str, int, int], ...]:
        """Changes whenever one of the files does; a folder stands for all that is in it."""
        inside = [sorted(one.rglob("*")) if one.is_dir() else [one] for one in self.files]
        facts = [(str(file), file.stat()) for files in inside for file in files]
        return tuple((name, it.st_mtime_ns, it.st_size) for name, it in facts)


def settings() -> Settings:
    """The configuration, read at every run: an edit shows at the next reload."""
    return edge().settings()


def edge() -> Edge:
    """The store and the configuration, as commands are given them."""
    named = os.environ.get(CONFIG_VARIABLE)
    return Edge(db=store_path(), config=Path(named) if named else None, quiet=True)


def targets() -> Targets:
    """The team's objectives, else those that come with retrospan for its recorded systems."""
    found = settings()
    base = (found.source or Path()).parent
    files = [base / name for name in found.fill("slo", SloSettings).files]
    own = bool(files)
    files = files or sorted(SHIPPED.glob("*.yaml"))
    return Targets(slos=read_slos(files), files=files, own=own)
