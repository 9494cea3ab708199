"""Results about contracts as rows of the document `retrospan.contracts/1`."""

from analyzer.contracts.drift import Window
from analyzer.contracts.result import Result
from analyzer.contracts.verify import ServiceCover
from retrospan.documents import Document, evidence_document


def result_row(result: Result) -> Document:
    """One result; `facts` holds what only its rule has."""
    return {
        "rule": result.rule,
        "verdict": result.verdict.value,
        "severity": result.severity,
        "service": result.service,
        "operation": result.operation,
        "message": result.message,
        "n": result.n,
        "total": result.total,
        "unit": result.unit,
        "callers": [
            {"service": caller.service, "version": caller.version, "n": caller.n}
            for caller in result.callers
        ],
        "first_ns": result.first_ns,
        "last_ns": result.last_ns,
        "evidence": [evidence_document(one) for one in result.evidence],
        "facts": dict(result.facts),
    }


def cover_row(cover: ServiceCover) -> Document:
    """How far one service was looked at."""
    return {
        "service": cover.service,
        "files": list(cover.files),
        "exchanges": cover.n,
        "exchanges_seen_by_service": cover.n_server,
        "operations": cover.operations,
        "operations_seen": cover.operations_seen,
    }


def window_row(window: Window) -> Document:
    """From `since_ns`, before `until_ns`."""
    return {"since_ns": window.since_ns, "until_ns": window.until_ns}
