"""The SLO files and the price file that a command line or the configuration names."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from retrospan.config import Settings

if TYPE_CHECKING:
    from analyzer.slo.model import Slo


def slos_of(settings: Settings, files: Sequence[Path] = ()) -> "tuple[Slo, ...]":
    """The SLOs of these files, else those of the configuration; none where neither names any."""
    from analyzer.slo.openslo import read_slos
    from analyzer.slo.settings import SloSettings

    found = list(files) or [
        _beside(settings, name) for name in settings.fill("slo", SloSettings).files
    ]
    return read_slos(found)


def price_file(settings: Settings) -> Path | None:
    """The price file of the configuration."""
    from analyzer.slo.settings import SloSettings

    name = settings.fill("slo", SloSettings).prices
    return _beside(settings, name) if name else None


def _beside(settings: Settings, name: str) -> Path:
    return (settings.source or Path()).parent / name
