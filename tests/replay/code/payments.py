"""The recorded payments as subjects of a code replay, read once."""

import gzip
from collections import defaultdict
from functools import cache
from pathlib import Path

from analyzer.assign import AssignSettings, assign
from analyzer.derive import DeriveSettings, derive
from ingest.limits import Limits
from ingest.reader import discover
from replay.code.effects import honouring
from replay.code.engine import Subject
from replay.code.transitions import transitions_of
from store.model import LogRecord, Span

ROOT = Path(__file__).resolve().parents[3]
READER = "otlp_json"


@cache
def payments(sample: str = "payment-brownout") -> tuple[Subject, ...]:
    """All payments of a sample, in the order they were placed."""
    spans: list[Span] = []
    logs: list[LogRecord] = []
    reader = discover()[READER]
    for name in ("traces", "logs"):
        path = ROOT / "sample_traces" / sample / f"{name}.jsonl.gz"
        with gzip.open(path) as stream:
            for item in reader.read(stream, Limits()):  # type: ignore[arg-type]
                if isinstance(item, Span):
                    spans.append(item)
                elif isinstance(item, LogRecord):
                    logs.append(item)
    rows = assign(spans, logs, [], AssignSettings())
    flows = [flow for flow in (derive(it, DeriveSettings()) for it in rows) if flow.input]
    by_trace: defaultdict[str, list[Span]] = defaultdict(list)
    for span in spans:
        by_trace[span.trace_id].append(span)
    usual, observed = transitions_of(flows), honouring(flows)
    return tuple(
        Subject(
            flow=flow,
            spans=[span for trace_id in flow.trace_ids for span in by_trace[trace_id]],
            usual=usual,
            honouring=observed,
        )
        for flow in sorted(flows, key=lambda it: it.start_ns)
    )
