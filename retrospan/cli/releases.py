"""`retrospan releases`: versions compared with the ones before, and what taking one back did."""

from typing import TYPE_CHECKING, Annotated

import typer

from retrospan.documents import Document
from retrospan.edge import Edge, edge_of, worst
from retrospan.listing import (
    LIMIT_DEFAULT,
    AsJson,
    Column,
    Format,
    FormatOption,
    Limit,
    Listing,
    Row,
    Since,
    Until,
    field,
    show,
)
from retrospan.timespan import humane

if TYPE_CHECKING:
    from analyzer.releases.report import ReleaseReport

app = typer.Typer(
    help="Releases: versions, models, policies and flags compared.", no_args_is_help=True
)

KINDS = ("service", "flow", "model", "policy", "flag")
CELLS = ("release_verdict", "kind", "subject", "from", "to", "design", "reason")
ROLLBACK_CELLS = (
    "successful", "kind", "subject", "sort", "from_version", "to_version", "at_ns", "restored",
    "left_open",
)  # fmt: skip


def _versions(row: Row) -> str:
    return f"{row['from']} → {row['to']}"


def _new_variants(row: Row) -> str:
    variants = row["new_variants"]
    assert isinstance(variants, list)
    flows = sum(one["n"] for one in variants if isinstance(one, dict) and isinstance(one["n"], int))
    return f"{len(variants)} ({flows})" if variants else "–"


COLUMNS = (
    field("verdict", "release_verdict"),
    field("kind", "kind"),
    field("of", "subject"),
    Column(header="versions", show=_versions),
    field("design", "design"),
    field("because", "reason"),
    Column(header="new variants (flows)", show=_new_variants),
)


def _taken_back(row: Row) -> str:
    return f"{row['from_version']} → {row['to_version']}"


def _recovered(row: Row) -> str:
    recoveries = row["recoveries"]
    assert isinstance(recoveries, list)
    return "; ".join(
        f"{one['metric']} {_percent(one['before'])} of {one['before_n']} → "
        f"{_percent(one['during'])} of {one['during_n']} → "
        f"{_percent(one['after'])} of {one['after_n']}"
        for one in recoveries
        if isinstance(one, dict)
    )


def _percent(share: object) -> str:
    return f"{share:.1%}" if isinstance(share, int | float) else "?"


def _back_after(row: Row) -> str:
    """How long it took, and what else was new before."""
    back, at, meanwhile = row["back_ns"], row["at_ns"], row["meanwhile"]
    assert isinstance(at, int) and isinstance(meanwhile, list)
    if not isinstance(back, int):
        return "–"
    also = f", after {', '.join(map(str, meanwhile))}" if meanwhile else ""
    return f"{humane(max(0, back - at))}{also}"


ROLLBACK_COLUMNS = (
    field("successful", "successful"),
    field("kind", "kind"),
    field("of", "subject"),
    field("what", "sort"),
    Column(header="versions", show=_taken_back),
    field("restored", "restored"),
    Column(header="back inside within", show=_back_after),
    field("left open (flows)", "left_open", right=True),
    Column(header="bad units before → during → after", show=_recovered),
)


@app.command("report")
def report(
    context: typer.Context,
    rollbacks: Annotated[
        bool, typer.Option("--rollbacks", help="List what was taken back, not comparisons.")
    ] = False,
    since: Since = None,
    until: Until = None,
    kind: Annotated[
        str | None, typer.Option(help="Only service, flow, model, policy or flag.")
    ] = None,
    subject: Annotated[
        str | None, typer.Option(help="Only this service, flow, model, policy or flag.")
    ] = None,
    limit: Limit = LIMIT_DEFAULT,
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> int:
    """Compare each version of a service, flow, model, policy or feature flag with the one before:
    failures, soundness, latency, new variants. Exit code 3 when a release fails."""
    from analyzer.releases.report import report as gather
    from analyzer.releases.settings import ReleaseSettings
    from retrospan.release_rows import comparison_row, rollback_row, thing_row
    from retrospan.sampling_note import tell_sampling
    from retrospan.timespan import parse_moment
    from store import read
    from store.errors import UsageError

    if kind is not None and kind not in KINDS:
        raise UsageError(f"--kind {kind!r}: there are {', '.join(KINDS)}")
    edge = edge_of(context)
    settings = edge.settings().fill("releases", ReleaseSettings)
    with edge.reading("comparing releases") as session:
        counts = read.counts(session)
        end = counts.data_end_ns
        start = counts.data_start_ns or 0
        found = gather(
            session,
            start if since is None else parse_moment(since, end, "--since"),
            (end or 0) + 1 if until is None else parse_moment(until, end, "--until"),
            settings,
        )
        tell_sampling(session)

    def wanted(row: Row) -> bool:
        return kind in (None, row["kind"]) and subject in (None, row["subject"])

    compared = [row for row in map(comparison_row, found.comparisons) if wanted(row)]
    taken_back = [row for row in map(rollback_row, found.rollbacks) if wanted(row)]
    document: Document = {
        "schema": "retrospan.releases/1",
        "since_ns": found.since_ns,
        "until_ns": found.until_ns,
        "subjects": [row for row in map(thing_row, found.things) if wanted(row)],
        "comparisons": list(compared[:limit]),
        "comparison_count": len(compared),
        "rollbacks": list(taken_back[:limit]),
        "rollback_count": len(taken_back),
        "pairs_left_out": found.pairs_left_out,
    }
    rows = list(taken_back if rollbacks else map(_flat, compared))
    show(_listing(document, rows[:limit], rollbacks), form, as_json)
    _say(edge, found, rollbacks, len(taken_back))
    return worst(violation=any(row["release_verdict"] == "fail" for row in compared))


def _flat(row: Document) -> Document:
    """A comparison with its versions as cells of their own."""
    baseline, candidate = row["baseline"], row["candidate"]
    assert isinstance(baseline, dict) and isinstance(candidate, dict)
    return {**row, "from": baseline["version"], "to": candidate["version"]}


NOTHING_TAKEN_BACK = (
    "no version was seen to be taken back; a change that lasted less than a 200th of the recorded "
    "time of its service, flow, model, policy or flag is not seen"
)


def _listing(document: Document, rows: list[Document], rollbacks: bool) -> Listing:
    return Listing(
        document=document,
        rows=rows,
        columns=ROLLBACK_COLUMNS if rollbacks else COLUMNS,
        cells=ROLLBACK_CELLS if rollbacks else CELLS,
        empty=NOTHING_TAKEN_BACK if rollbacks else "nothing has two versions",
    )


def _say(edge: Edge, found: "ReleaseReport", rollbacks: bool, taken_back: int) -> None:
    single = sorted(f"{one.kind} {one.subject}" for one in found.things if len(one.versions) == 1)
    if single:
        edge.say(f"one version only, nothing to compare: {', '.join(single)}")
    if found.pairs_left_out:
        edge.say(f"{found.pairs_left_out} pairs of versions were too many and left out")
    if taken_back and not rollbacks:
        edge.say(f"{taken_back} taken back: `retrospan releases report --rollbacks`")
