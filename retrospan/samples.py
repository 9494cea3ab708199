"""The recorded incidents that ship with retrospan."""

from pathlib import Path

from store.errors import NotFoundError

PACKAGE = Path(__file__).resolve().parent
# Installed, the recordings lie inside the package; in the repository, beside it.
PLACES = (PACKAGE / "samples", PACKAGE.parent / "sample_traces")
RECORDING = "traces.jsonl.gz"


def names() -> list[str]:
    """Names of the samples that are there."""
    return sorted({path.parent.name for place in PLACES for path in place.glob(f"*/{RECORDING}")})


def find(name: str) -> Path:
    """The folder of a sample."""
    for place in PLACES:
        if name in names() and (place / name / RECORDING).is_file():
            return place / name
    raise NotFoundError(f"there is no sample {name!r}; there are: {', '.join(names()) or 'none'}")
