"""Histories out of the store, where ingest kept them with the workflow's span."""

from collections.abc import Sequence

from ingest.history.kept import HISTORY, LEFT_OUT, TOKEN, restore
from replay.temporal.histories import RecordedHistory
from store import read
from store.errors import DataError
from store.lease import Session
from store.model import Span


def stored_histories(session: Session, flow_ids: Sequence[str]) -> dict[str, RecordedHistory]:
    """The history of each flow, by id.

    Raises NotFoundError for a flow that is not there, DataError for one without its history.
    """
    return {flow_id: _of_flow(session, flow_id) for flow_id in dict.fromkeys(flow_ids)}


def _of_flow(session: Session, flow_id: str) -> RecordedHistory:
    flow = read.read_flow(session, flow_id)
    spans = [
        span
        for span in read.read_spans(session, flow.trace_ids)
        if HISTORY in span.attributes or LEFT_OUT in span.attributes
    ]
    mine = [span for span in spans if flow_of(span) == flow_id] or spans
    if not mine:
        raise DataError(
            f"{flow_id}: the store has no history of it, it was loaded from spans alone; "
            "ingest its history, or name the file"
        )
    if len(mine) > 1:
        raise DataError(f"{flow_id}: {len(mine)} histories belong to it; name the file of one")
    return _restored(mine[0], flow_id)


def _restored(span: Span, flow_id: str) -> RecordedHistory:
    if HISTORY not in span.attributes:
        why = str(span.attributes[LEFT_OUT])
        raise DataError(f"{flow_id}: its history was not kept: {why}; name the file")
    text = str(span.attributes[HISTORY])
    try:
        events = restore(text)
    except ValueError as error:
        raise DataError(f"{flow_id}: {error}; name the file") from None
    return RecordedHistory(
        flow_id=flow_id,
        workflow_id=str(span.attributes.get("temporalWorkflowID", "")),
        place="the store",
        events=events,
        redacted=text.count(TOKEN),
    )


def flow_of(span: Span) -> str:
    """The flow that a workflow's span makes by itself."""
    ids = (span.attributes.get(name) for name in ("temporalWorkflowID", "temporalRunID"))
    return f"wf:{'/'.join(map(str, ids))}"
