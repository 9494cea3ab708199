"""Loading and deriving, as the commands and the demo do both."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from retrospan.config import redaction_key
from retrospan.edge import Edge

if TYPE_CHECKING:
    from ingest.report import IngestReport

Show = Callable[[str], None]


def load(
    edge: Edge,
    paths: Sequence[str],
    form: str | None,
    show: Show,
    key: bytes | None = None,
) -> "IngestReport":
    """Files into the store, redacted on the way; `key` is the user's own unless given."""
    from ingest.pipeline import IngestSettings, ingest_paths

    settings = edge.settings().fill(
        "ingest", IngestSettings, redaction_key=key or redaction_key(), format=form
    )
    report = ingest_paths(
        edge.store(),
        paths,
        settings,
        lambda path, records: show(f"{path}: {records} records"),
    )
    show("")
    return report


def derive(edge: Edge, show: Show) -> str:
    """Flows, verdicts and findings out of what was loaded; a line that says how many."""
    from analyzer.rebuild import RebuildSettings, rebuild

    report = rebuild(
        edge.store(),
        edge.settings().fill("flows", RebuildSettings),
        lambda stage, done: show(f"{stage}: {done}"),
    )
    show("")
    return f"flows derived: {report.flows} from {report.spans} spans; findings: {report.findings}"
