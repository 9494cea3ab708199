"""`retrospan contracts`: recorded exchanges against OpenAPI files, and such files compared."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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

if TYPE_CHECKING:
    from analyzer.contracts.api import Api
    from analyzer.contracts.drift import Window
    from analyzer.contracts.settings import ContractSettings
    from store.session import Session

app = typer.Typer(help="Contracts: recorded exchanges against OpenAPI files.", no_args_is_help=True)

CELLS = (
    "verdict", "rule", "service", "operation", "message", "n", "total", "unit", "severity",
)  # fmt: skip
CHANGE_CELLS = ("impact", "operation", "direction", "place", "message")


def _of(row: Row) -> str:
    return f"{row['n']} of {row['total']} {row['unit']}"


def _callers(row: Row) -> str:
    callers = row["callers"]
    assert isinstance(callers, list)
    return ", ".join(
        f"{caller['service'] or '(not recorded)'} {caller['version'] or ''}".strip()
        + f" ({caller['n']})"
        for caller in callers
        if isinstance(caller, dict)
    )


COLUMNS = (
    field("verdict", "verdict"),
    field("rule", "rule"),
    field("service", "service"),
    field("operation", "operation"),
    field("what", "message"),
    Column(header="n", show=_of),
    Column(header="by whom (n)", show=_callers),
)
CHANGE_COLUMNS = tuple(
    field(header, name)
    for header, name in zip(
        ("impact", "operation", "direction", "place", "change"), CHANGE_CELLS, strict=True
    )
)
Span = Annotated[
    str | None, typer.Option(metavar="FROM/TO", help="A window, to see what changed in shapes.")
]


@app.command("report")
def report(
    context: typer.Context,
    api: Annotated[
        list[str] | None,
        typer.Option(metavar="SERVICE=FILE", help="An OpenAPI file of a service; repeatable."),
    ] = None,
    since: Since = None,
    until: Until = None,
    window_a: Span = None,
    window_b: Span = None,
    service: Annotated[
        str | None, typer.Option(help="Only results about this called service.")
    ] = None,
    rule: Annotated[str | None, typer.Option(help="Only results of this rule.")] = None,
    limit: Limit = LIMIT_DEFAULT,
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> int:
    """Hold recorded HTTP exchanges against OpenAPI files, from `[contracts.services]` or `--api`;
    with two windows, tell what changed in the shapes of bodies and attributes. Exit code 3 on a
    violation."""
    from analyzer.contracts.observed import observe, observe_drift
    from analyzer.contracts.result import of_drift, ordered
    from analyzer.contracts.settings import ContractSettings
    from analyzer.contracts.verify import verify
    from retrospan.contract_rows import cover_row, result_row, window_row

    edge = edge_of(context)
    settings = edge.settings().fill("contracts", ContractSettings)
    apis = _apis(edge, settings, api or ())
    _check(apis, window_a, window_b)
    with edge.reading("holding exchanges against contracts") as session:
        window = _window(session, since, until)
        observed = observe(session, list(apis), window, settings.bodies_per_shape_max)
        drift = []
        windows = None
        if window_a is not None and window_b is not None:
            windows = (_interval(session, window_a, "--window-a"),
                       _interval(session, window_b, "--window-b"))  # fmt: skip
            drift = observe_drift(session, *windows, settings.drift_n_min)
    results, covers = verify(apis, observed)
    results = ordered([*results, *map(of_drift, drift)])
    rows = [
        result_row(one)
        for one in results
        if service in (None, one.service) and rule in (None, one.rule)
    ]
    show(
        Listing(
            document={
                "schema": "retrospan.contracts/1",
                "window": window_row(window),
                "windows": None if windows is None else list(map(window_row, windows)),
                "services": list(map(cover_row, covers)),
                "results": list(rows[:limit]),
                "result_count": len(rows),
                "exchanges_left_out": observed.left_out,
            },
            rows=rows[:limit],
            columns=COLUMNS,
            cells=CELLS,
            empty="no exchange breaks its contract" if apis else "no shape changed",
        ),
        form,
        as_json,
    )
    _say_cover(edge, covers, observed.left_out, len(rows) - limit)
    return worst(violation=any(row["verdict"] == "violation" for row in rows))


@app.command("compare")
def compare_files(
    context: typer.Context,
    old: Annotated[Path, typer.Argument(help="The OpenAPI file as it was.")],
    new: Annotated[Path, typer.Argument(help="The OpenAPI file as it is to be.")],
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> int:
    """Tell what clients of the old version would notice of the new one. Exit code 3 when something
    breaks them."""
    from analyzer.contracts.api import load_api
    from analyzer.contracts.compare import Impact, compare, verdict_of

    edge = edge_of(context)
    before, after = load_api(old), load_api(new)
    changes = compare(before, after)
    verdict = verdict_of(changes)
    rows: list[dict[str, object]] = [
        {
            "impact": change.impact.value,
            "operation": change.operation,
            "direction": change.direction,
            "place": change.place,
            "message": change.message,
        }
        for change in changes
    ]
    show(
        Listing(
            document={
                "schema": "retrospan.contracts_compare/1",
                "old": {"file": str(old), "version": before.version},
                "new": {"file": str(new), "version": after.version},
                "verdict": verdict.value,
                "changes": list(rows),  # type: ignore[arg-type]
            },
            rows=rows,  # type: ignore[arg-type]
            columns=CHANGE_COLUMNS,
            cells=CHANGE_CELLS,
            empty="nothing a client could notice changed",
        ),
        form,
        as_json,
    )
    edge.say(f"{verdict.value}: {len(changes)} changes from {old} to {new}")
    return worst(violation=verdict is Impact.BREAKING)


def _check(apis: "dict[str, list[Api]]", window_a: str | None, window_b: str | None) -> None:
    """Refuse what leaves nothing to answer."""
    from store.errors import UsageError

    if (window_a is None) != (window_b is None):
        raise UsageError("shapes are compared between two windows: give --window-a and --window-b")
    if not apis and window_a is None:
        raise UsageError(
            "no OpenAPI file is named: write them under [contracts.services] in retrospan.toml "
            '(inventory = "inventory.yaml"), or give --api SERVICE=FILE'
        )


def _apis(edge: Edge, settings: "ContractSettings", given: Sequence[str]) -> "dict[str, list[Api]]":
    """By service; a service that is given on the command line is that alone."""
    from analyzer.contracts.api import load_api
    from store.errors import UsageError

    source = edge.settings().source
    folder = Path() if source is None else source.parent
    files = {
        service: [(folder / path, str(path)) for path in settings.files(service)]
        for service in settings.services
    }
    named: dict[str, list[tuple[Path, str]]] = {}
    for text in given:
        service, equals, path = text.partition("=")
        if not equals or not service or not path:
            raise UsageError(f"--api {text!r}: write SERVICE=FILE")
        named.setdefault(service, []).append((Path(path), path))
    return {
        service: [load_api(path, shown) for path, shown in listed]
        for service, listed in sorted({**files, **named}.items())
    }


def _window(session: "Session", since: str | None, until: str | None) -> "Window":
    """All data where nothing is said: up to the end of the data, included."""
    from analyzer.contracts.drift import Window
    from retrospan.timespan import parse_moment
    from store import read

    counts = read.counts(session)
    end = counts.data_end_ns
    start = counts.data_start_ns or 0
    return Window(
        since_ns=start if since is None else parse_moment(since, end, "--since"),
        until_ns=(end or 0) + 1 if until is None else parse_moment(until, end, "--until"),
    )


def _interval(session: "Session", text: str, option: str) -> "Window":
    from analyzer.contracts.drift import Window
    from retrospan.timespan import parse_moment
    from store import read
    from store.errors import UsageError

    end = read.counts(session).data_end_ns
    since, slash, until = text.partition("/")
    if not slash:
        raise UsageError(f"{option} {text!r}: write FROM/TO, as in 2h/1h")
    window = Window(
        since_ns=parse_moment(since, end, option),
        until_ns=parse_moment(until, end, option),
    )
    if window.since_ns >= window.until_ns:
        raise UsageError(f"{option} {text!r} ends before it begins")
    return window


def _say_cover(edge: Edge, covers: "Sequence[object]", left_out: int, hidden: int) -> None:
    from analyzer.contracts.verify import ServiceCover

    for cover in covers:
        assert isinstance(cover, ServiceCover)
        if not cover.files:
            edge.say(f"{cover.service}: {cover.n} exchanges, no OpenAPI file, not checked")
        elif cover.n == 0:
            edge.say(f"{cover.service}: no exchange recorded, nothing can be said")
        else:
            edge.say(
                f"{cover.service}: {cover.n} exchanges ({cover.n_server} seen by itself), "
                f"{cover.operations_seen} of {cover.operations} documented operations seen"
            )
    if left_out:
        edge.say(f"{left_out} exchanges of too many different paths were left out")
    if hidden > 0:
        edge.say(f"{hidden} more results: raise --limit")
