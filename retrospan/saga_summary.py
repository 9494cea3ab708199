"""What `sagas summary` says: the measures of many sagas, as a document and as tables."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

from analyzer.sagas.dirty_reads import DirtyRead, Undone, dirty_reads, undone_effects
from analyzer.sagas.measures import Measuring, Quantile, SagaMeasures, Share
from analyzer.sagas.verify import checks
from retrospan.canonical import money
from retrospan.documents import Document, evidence_document
from retrospan.listing import Column, Listing, Row, field
from store import read
from store.conclusions import Flow, Verdict
from store.lease import Session
from store.model import JsonValue

FLOWS_PER_READ = 2_000
PATHS_MAX = 50
"""Compensation paths listed; `paths_total` counts all."""
MEASURES = {
    "given up": "aborts",
    "undone in full, of those given up": "compensated",
    "completed steps undone, of flows given up": "coverage",
    "stock accounts that come to zero": "stock",
}


def summarised(session: Session, flow_ids: Sequence[str] | None) -> Document:
    """`retrospan.saga_summary/1` of these flows; None for all. Shares are 0 to 1, six digits."""
    verdicts = {saga.flow_id: saga for saga in read.read_sagas(session, flow_ids)}
    ids = sorted(verdicts)
    measuring = Measuring()
    undone: dict[str, list[Undone]] = {}
    for flows in _chunks(session, ids):
        for flow in flows:
            measuring.add(flow, verdicts[flow.flow_id])
        for reference, effects in undone_effects(flows).items():
            undone.setdefault(reference, []).extend(effects)
    reads = [it for flows in _chunks(session, ids) for it in dirty_reads(flows, undone)]
    return summary_document(len(ids), measuring.measures(), reads)


def _chunks(session: Session, ids: Sequence[str]) -> Iterator[list[Flow]]:
    for start in range(0, len(ids), FLOWS_PER_READ):
        wanted = tuple(ids[start : start + FLOWS_PER_READ])
        yield read.read_flows(session, read.FlowSelection(flow_ids=wanted))


def summary_document(flows: int, measures: SagaMeasures, reads: Sequence[DirtyRead]) -> Document:
    """The document of measures taken over so many flows."""
    times = measures.inconsistent
    return {
        "schema": "retrospan.saga_summary/1",
        "flows": flows,
        "sagas": measures.flows,
        "checks": [
            {
                "check": name,
                "title": title,
                **{it.value: measures.verdicts.get(name, {}).get(it.value, 0) for it in Verdict},
            }
            for name, title in _titles(measures).items()
        ],
        "shares": [
            {"measure": name, **_share(getattr(measures, attribute))}
            for name, attribute in MEASURES.items()
        ],
        "inconsistent": {
            "n": len(times.values_ns),
            "standing": times.standing,
            "unknown": times.unknown,
            "p50": _quantile(times.quantile(Fraction(1, 2))),
            "p95": _quantile(times.quantile(Fraction(95, 100))),
        },
        "compensations": {
            "n": measures.compensations,
            "attempts": measures.compensation_attempts,
            "steps_undone_max": measures.depth_max,
        },
        "paths": [{"path": list(it.path), "flows": it.flows} for it in measures.paths[:PATHS_MAX]],
        "paths_total": len(measures.paths),
        "money": [
            {
                "currency": it.currency,
                "left": money(it.left),
                "given_twice": money(it.given_twice),
                "flows": it.flows,
                "n": it.n,
                "unknown": it.unknown,
            }
            for it in measures.money
        ],
        "dirty_reads": [_read_row(it) for it in reads],
    }


def _titles(measures: SagaMeasures) -> dict[str, str]:
    """What each check asks; a check that a store tells of and we no longer have asks nothing."""
    told = {check.id: check.title for check in checks()}
    return told | {name: "" for name in sorted(measures.verdicts.keys() - told.keys())}


def _share(share: Share) -> Document:
    interval = share.interval
    return {
        "hits": share.hits,
        "n": share.n,
        "value": _rounded(share.value),
        "low": None if interval is None else _rounded(interval.low),
        "high": None if interval is None else _rounded(interval.high),
        "unknown": share.unknown,
        "unknown_share": _rounded(share.unknown_share),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _quantile(quantile: Quantile | None) -> JsonValue:
    if quantile is None:
        return None
    return {
        "value_ns": quantile.value_ns,
        "low_ns": quantile.low_ns,
        "high_ns": quantile.high_ns,
    }


def _read_row(it: DirtyRead) -> Document:
    return {
        "flow_id": it.flow_id,
        "step": it.step,
        "verdict": it.verdict.value,
        "of_flow_id": it.undone.flow_id,
        "of_step": it.undone.step,
        "external_ref": it.undone.external_ref,
        "undone_ns": it.undone.undone_ns,
        "evidence": [evidence_document(it.evidence), evidence_document(it.undone.evidence)],
    }


def found_violation(document: Document) -> bool:
    """Whether a check or a dirty read accuses."""
    counted, reads = document["checks"], document["dirty_reads"]
    assert isinstance(counted, list) and isinstance(reads, list)
    return any(isinstance(it, dict) and it["violation"] for it in counted) or any(
        isinstance(it, dict) and it["verdict"] == "violation" for it in reads
    )


def _percent(value: JsonValue) -> str:
    return f"{100 * value:.1f}" if isinstance(value, int | float) else "–"


def _seconds(value: JsonValue) -> str:
    return f"{value / 1e9:.3f}" if isinstance(value, int) else "–"


def _between(row: Row, low: str, high: str, word: Callable[[JsonValue], str]) -> str:
    if row[low] is None and row[high] is None:
        return "–"
    return f"{word(row[low])} to {word(row[high])}"


def tables(document: Document) -> list[tuple[str, Listing]]:
    """The document as tables, each below a line that says what it shows."""
    times = document["inconsistent"]
    assert isinstance(times, dict)
    times_rows: list[JsonValue] = [
        {"quantile": name, **quantile}
        for name in ("p50", "p95")
        if isinstance(quantile := times[name], dict)
    ]
    return [
        ("Verdicts, in flows", _listing(document, document["checks"], CHECK_COLUMNS)),
        (
            "How well sagas were undone (95 % intervals)",
            _listing(document, document["shares"], SHARE_COLUMNS),
        ),
        (
            "Time in an inconsistent state, from the first effect to the last compensation: "
            f"{times['n']} flows came to an end, {times['standing']} never did, "
            f"{times['unknown']} unknown",
            _listing(document, times_rows, TIME_COLUMNS, "no flow given up had effects to undo"),
        ),
        (
            f"Compensation paths (! failed, ? nobody knows): {document['paths_total']} variants",
            _listing(document, document["paths"], PATH_COLUMNS, "nothing was compensated"),
        ),
        (
            "Money of flows given up",
            _listing(document, document["money"], MONEY_COLUMNS, "no amount is told"),
        ),
        (
            "Steps that built on what another flow took back later",
            _listing(document, document["dirty_reads"], READ_COLUMNS, "none was found"),
        ),
    ]


def _listing(
    document: Document, rows: JsonValue, columns: Sequence[Column], empty: str = ""
) -> Listing:
    assert isinstance(rows, list)
    kept = [row for row in rows if isinstance(row, dict)]
    return Listing(document=document, rows=kept, columns=columns, cells=(), empty=empty)


CHECK_COLUMNS = (
    field("check", "check"),
    field("asks", "title"),
    *(field(it.value.replace("_", " "), it.value, right=True) for it in Verdict),
)
SHARE_COLUMNS = (
    field("measure", "measure"),
    Column(header="%", show=lambda row: _percent(row["value"]), right=True),
    Column(header="between", show=lambda row: _between(row, "low", "high", _percent), right=True),
    field("n", "n", right=True),
    field("unknown (n)", "unknown", right=True),
)
TIME_COLUMNS = (
    field("quantile", "quantile"),
    Column(header="seconds", show=lambda row: _seconds(row["value_ns"]), right=True),
    Column(
        header="between", show=lambda row: _between(row, "low_ns", "high_ns", _seconds), right=True
    ),
)


def _path(row: Row) -> str:
    path = row["path"]
    assert isinstance(path, list)
    return ", ".join(map(str, path))


PATH_COLUMNS = (
    field("flows (n)", "flows", right=True),
    Column(header="compensations in order", show=_path),
)
MONEY_COLUMNS = (
    field("currency", "currency"),
    field("never given back", "left", right=True),
    field("given back twice", "given_twice", right=True),
    field("in flows (n)", "flows", right=True),
    field("accounts (n)", "n", right=True),
    field("unknown (n)", "unknown", right=True),
)
READ_COLUMNS = (
    field("flow", "flow_id"),
    field("step", "step"),
    field("verdict", "verdict"),
    field("built on", "external_ref"),
    field("of flow", "of_flow_id"),
    field("made by", "of_step"),
)
