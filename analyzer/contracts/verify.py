"""Recorded exchanges held against the files of their services."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import polars

from analyzer.contracts.ageing import deprecated_from, http_date, says_deprecated, sunset_day
from analyzer.contracts.api import Api, Body, Operation
from analyzer.contracts.judging import Judge
from analyzer.contracts.media import fits, plain
from analyzer.contracts.result import Result, callers_of, evidence_of, ordered
from analyzer.contracts.routes import Routes, is_wildcard
from store.conclusions import Verdict

Row = Mapping[str, Any]
NO_ROUTE: Final = frozenset({404, 405, 501})
"""Answers with which a service itself says that there is no such route or method."""
INTERMEDIARY: Final = frozenset({407, 408, 429, 502, 503, 504, 511})
"""Answers that something between caller and service may have given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What the store holds: frames of `exchanges.sql` and `bodies.sql`, and by service how many of
    its flows were sampled. `left_out` exchanges were too diverse to be listed."""

    exchanges: polars.DataFrame
    bodies: polars.DataFrame
    sampled: Mapping[str, int] = field(default_factory=dict)
    left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCover:
    """How far one service was looked at. `n_server` of its `n` exchanges were seen by itself."""

    service: str
    files: Sequence[str]
    n: int
    n_server: int
    operations: int
    operations_seen: int


def verify(
    apis: Mapping[str, Sequence[Api]], observed: Observed
) -> tuple[list[Result], list[ServiceCover]]:
    """All results, worst first, and what they cover, by service."""
    by_service: dict[str, list[Row]] = defaultdict(list)
    for row in observed.exchanges.iter_rows(named=True):
        by_service[row["service"]].append(row)
    bodies: dict[str, list[Row]] = defaultdict(list)
    for row in observed.bodies.iter_rows(named=True):
        bodies[row["service"]].append(row)
    results: list[Result] = []
    covers = []
    for service in sorted(apis):
        checked = _Service(service, apis[service], observed.sampled.get(service, 0))
        checked.exchanges(by_service.get(service, ()))
        checked.bodies(bodies.get(service, ()))
        checked.unused()
        results += checked.results
        covers.append(checked.cover())
    for service in sorted(set(by_service) - set(apis)):
        rows = by_service[service]
        covers.append(
            ServiceCover(
                service=service,
                files=(),
                n=_sum(rows),
                n_server=_sum(row for row in rows if row["side"] == "server"),
                operations=0,
                operations_seen=0,
            )
        )
    return ordered(results), sorted(covers, key=lambda cover: cover.service)


class _Service:
    """One service: its files, and what was found so far."""

    def __init__(self, service: str, apis: Sequence[Api], sampled: int) -> None:
        self.results: list[Result] = []
        self._service = service
        self._apis = apis
        self._sampled = sampled
        self._routes = Routes(apis)
        self._seen: set[tuple[str, str]] = set()
        self._n = self._n_server = 0
        self._faults: dict[tuple[str, ...], list[Row]] = defaultdict(list)
        self._ageing: dict[str, list[Row]] = defaultdict(list)
        self._totals: dict[str, int] = defaultdict(int)

    def cover(self) -> ServiceCover:
        return ServiceCover(
            service=self._service,
            files=tuple(api.source for api in self._apis),
            n=self._n,
            n_server=self._n_server,
            operations=len(self._documented()),
            operations_seen=len(self._seen),
        )

    def exchanges(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._n += row["n"]
            self._n_server += row["n"] if row["side"] == "server" else 0
            self._exchange(row)
        for key, found in sorted(self._faults.items()):
            self._tell(key, found)
        for name, found in sorted(self._ageing.items()):
            self._tell_age(name, found)

    def _find(self, row: Row) -> tuple[str, Sequence[Operation] | None, str]:
        """The operation's name, the operations, and the rule that was broken before any is found.

        A router may record the route relative to where it is mounted, so the path counts too.
        """
        route = row["route"] or row["bare_path"]
        method = row["method"]
        by_method = None if route is None else self._routes.find(route)
        if by_method is None and row.get("path_example"):
            by_method = self._routes.find(row["path_example"])
        name = f"{method} {route or '(no route recorded)'}"
        if by_method is None:
            if route is None or is_wildcard(route):
                return name, None, "route_unknown"
            return name, None, "undocumented_route"
        if method not in by_method:
            return name, None, "undocumented_method"
        return by_method[method][0].name, by_method[method], ""

    def _exchange(self, row: Row) -> None:
        name, operations, rule = self._find(row)
        self._totals[name] += row["n"]
        if operations is None:
            if row["status"] not in NO_ROUTE:
                self._faults[rule, name, ""].append(row)
            return
        self._seen |= {(one.method, one.template) for one in operations}
        self._status(name, operations, row)
        media = plain(row["request_media"])
        contents = [one.request.content for one in operations if one.request is not None]
        if media and contents and not any(fits(media, content) for content in contents):
            self._faults["wrong_media_type", name, f"request {media}"].append(row)
        old = all(one.deprecated for one in operations)
        if old or says_deprecated(row["deprecation"]) or row["sunset"]:
            self._ageing[name].append({**row, "operations": operations, "documented": old})

    def _status(self, name: str, operations: Sequence[Operation], row: Row) -> None:
        status = row["status"]
        if status is None:
            return
        answers = [one.response(status) for one in operations]
        known = [answer for answer in answers if answer is not None]
        if not known:
            self._faults["undocumented_status", name, str(status)].append(row)
            return
        media = plain(row["response_media"])
        if media and not any(fits(media, answer.content) for answer in known):
            rule = "wrong_media_type" if any(one.content for one in known) else "undocumented_body"
            self._faults[rule, name, f"response {status} {media}"].append(row)

    def _tell(self, key: tuple[str, ...], rows: list[Row]) -> None:
        rule, name, detail = key
        verdict, severity = Verdict.VIOLATION, "warning"
        at_server = any(row["side"] == "server" for row in rows)
        said = {
            "undocumented_route": "no file documents this route",
            "undocumented_method": "the path is documented, this method is not",
            "undocumented_status": f"answers {detail}, which is not documented",
            "wrong_media_type": f"{detail} is not among the documented media types",
            "undocumented_body": f"{detail}: a body where the file documents none",
            "route_unknown": "neither route nor path was recorded in a form that can be compared",
        }[rule]
        if rule == "route_unknown":
            verdict, severity = Verdict.UNKNOWN, "info"
        elif rule == "undocumented_body":
            verdict = Verdict.SUSPECTED
        elif rule == "undocumented_status" and not at_server and int(detail) in INTERMEDIARY:
            verdict = Verdict.SUSPECTED
            said += "; only callers recorded it, so something in between may have answered"
        elif not at_server and rule in ("undocumented_route", "undocumented_method"):
            verdict = Verdict.SUSPECTED
            said += "; only callers recorded it, their template may not be the route"
        self.results.append(
            Result(
                rule=rule,
                verdict=verdict,
                severity=severity,
                service=self._service,
                operation=name,
                message=said,
                n=_sum(rows),
                total=self._totals[name],
                callers=callers_of(rows),
                first_ns=min(row["first_ns"] for row in rows),
                last_ns=max(row["last_ns"] for row in rows),
                evidence=evidence_of([row["example"] for row in rows]),
            )
        )

    def _tell_age(self, name: str, rows: list[Row]) -> None:
        sunsets = {http_date(row["sunset"]) for row in rows}
        sunsets |= {sunset_day(one.sunset) for row in rows for one in row["operations"]}
        sunset = min((moment for moment in sunsets if moment is not None), default=None)
        late = [row for row in rows if sunset is not None and row["last_ns"] >= sunset]
        since = [deprecated_from(row["deprecation"]) for row in rows]
        told = late or rows
        by = "the file" if any(row["documented"] for row in rows) else "a response header"
        if late:
            message = f"still called after its sunset (RFC 8594), says {by}"
        elif sunset is not None:
            message = f"called although its sunset is set, says {by}"
        else:
            message = f"deprecated, says {by}, and still called"
        self.results.append(
            Result(
                rule="used_after_sunset" if late else "deprecated_used",
                verdict=Verdict.VIOLATION if late else Verdict.PASS,
                severity="warning",
                service=self._service,
                operation=name,
                message=message,
                n=_sum(told),
                total=self._totals[name],
                callers=callers_of(told),
                first_ns=min(row["first_ns"] for row in told),
                last_ns=max(row["last_ns"] for row in told),
                evidence=evidence_of([row["example"] for row in told]),
                facts={
                    "sunset_ns": sunset,
                    "deprecated_ns": min((one for one in since if one is not None), default=None),
                },
            )
        )

    def bodies(self, rows: Iterable[Row]) -> None:
        judge = Judge(self._service)
        for row in rows:
            name, operations, _ = self._find(row)
            if operations:
                judge.look(name, [_part(one, row) for one in operations], self._apis, row)
        self.results += judge.results()

    def unused(self) -> None:
        """Documented and not seen. Only what the service itself recorded, whole, is evidence."""
        if self._n_server == 0:
            why = "no span of the service itself was recorded"
        elif self._sampled:
            why = f"{self._sampled} of its flows were sampled"
        else:
            why = ""
        for method, template in sorted(self._documented() - self._seen):
            self.results.append(
                Result(
                    rule="unused_operation",
                    verdict=Verdict.UNKNOWN if why else Verdict.PASS,
                    severity="info",
                    service=self._service,
                    operation=f"{method} {template}",
                    message=f"not seen, and {why}"
                    if why
                    else "documented, not called in this time",
                    n=0,
                    total=self._n_server,
                )
            )

    def _documented(self) -> set[tuple[str, str]]:
        return {(one.method, one.template) for api in self._apis for one in api.operations}


def _part(operation: Operation, row: Row) -> Body | None:
    if row["part"] == "request":
        return operation.request
    return None if row["status"] is None else operation.response(row["status"])


def _sum(rows: Iterable[Row]) -> int:
    return sum(row["n"] for row in rows)
