"""The smallest change that makes a flow end otherwise, as a document and in words."""

from replay.doubts import CLAIMS
from retrospan.divergences import reason_lines
from retrospan.documents import Document
from retrospan.edge import Edge
from retrospan.replaying import Replayer
from retrospan.text import visible

UNITS = {"timeout": " ms", "latency": " ms", "attempts": " attempts", "threshold": ""}


def flip_document(edge: Edge, flow_id: str, operation: str, change: str) -> Document:
    """`retrospan.flip/1`."""
    from replay.flip import smallest_flip
    from store import read

    with edge.reading("reading a flow to flip") as session:
        read.read_flow(session, flow_id)
    replayer = Replayer(edge)
    recording = replayer.recordings[flow_id]
    kind = replayer.programs[recording.name, recording.version]
    found = smallest_flip(recording, kind, operation, change, replayer.settings)
    return {
        "schema": "retrospan.flip/1",
        "flow_id": flow_id,
        "operation": operation,
        "change": change,
        "current": found.current,
        "value": found.value,
        "nearest_without": found.near,
        "step": found.step,
        "before": found.before,
        "after": found.after,
        "claim": found.claim,
        "reason": found.reason,
        "tried": found.tried,
        "unclear": found.unclear,
    }


def flip_lines(document: Document) -> list[str]:
    """The same for a person, the answer first."""
    unit = UNITS[str(document["change"])]
    what = f"{document['change']} of {document['operation']}"
    before = document["before"]
    if document["value"] is None:
        lines = [
            f"answer    no {what} that was tried surely makes {document['flow_id']} end otherwise "
            f"than {before}"
        ]
    else:
        claim = str(document["claim"])
        likely = "likely " if claim == "C3" else ""
        near = f"{_number(document['nearest_without'])}{unit}"
        lines = [
            f"answer    with {what} at {_number(document['value'])}{unit} {document['flow_id']} "
            f"would {likely}end {document['after']} instead of {before}; at {near} not yet"
        ]
        lines.append(f"claim     {claim}, {CLAIMS[claim]}")
    lines.append(f"now       {_number(document['current'])}{unit}")
    lines += reason_lines(str(document["reason"]))
    lines.append(
        f"tried     {document['tried']} values; of {document['unclear']} the end is not known"
    )
    return [visible(line) for line in lines]


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else "\u2013"
