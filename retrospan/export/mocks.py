"""A flow's recorded HTTP exchanges as a file of a mocking tool."""

from pathlib import Path

from replay.exchange import Exchange, exchanges_of
from replay.mocks import mocks
from retrospan.export.exported import Exported, ExportedFile
from store import read
from store.conclusions import Flow
from store.errors import UsageError
from store.lease import Store


def recorded_exchanges(
    store: Store, flow_id: str, service: str | None = None
) -> tuple[Flow, list[Exchange]]:
    """A flow and the HTTP requests a service of it made, by start.

    Raises NotFoundError when the flow is unknown or holds none.
    """
    with store.reading("reading a recording") as session:
        flow = read.read_flow(session, flow_id)
        spans = read.read_spans(session, list(flow.trace_ids))
    return flow, exchanges_of(flow, spans, service)


def export_mocks(
    store: Store, form: str, flow_id: str, output: Path, service: str | None = None
) -> Exported:
    """Write the exchanges of a flow in one of the formats of `replay.mocks`."""
    flow, exchanges = recorded_exchanges(store, flow_id, service)
    text, left_out = mocks()[form].write(exchanges, flow.start_ns)
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(f"{output}: {error.strerror or error}") from None
    file = ExportedFile(path=output, table="exchanges", rows=len(exchanges) - len(left_out))
    return Exported(form=form, files=[file], left_out=left_out)
