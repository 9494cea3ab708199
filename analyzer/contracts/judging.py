"""Recorded bodies of one service against the schemas of its files."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from analyzer.contracts.api import Api, Body
from analyzer.contracts.media import json_schema_of, plain
from analyzer.contracts.references import Place
from analyzer.contracts.result import Result, callers_of, evidence_of
from analyzer.contracts.schemas import Direction
from analyzer.contracts.validate import Judged, Validator
from store.conclusions import Verdict
from store.model import JsonValue

Row = Mapping[str, Any]
NESTING_MAX: Final = 200


class Judge:
    """Counts what bodies break; each row holds some bodies of one shape and how many there are."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._validators: dict[str, Validator] = {}
        self._faults: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
        self._doubts: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
        self._checked: dict[tuple[str, str], int] = defaultdict(int)
        self._seen: dict[tuple[str, str], int] = defaultdict(int)

    def look(self, name: str, parts: Sequence[Body | None], apis: Sequence[Api], row: Row) -> None:
        """Hold the samples of one row against the documented bodies; the kindest one counts."""
        part = row["part"] if row["part"] == "request" else f"response {row['status']}"
        if part == "response None":
            return
        key = (name, part)
        self._seen[key] += row["n"]
        media = plain(row["media"])
        schemas = [json_schema_of(media, one.content) for one in parts if one is not None]
        known = [schema for schema in schemas if schema is not None]
        if not known:
            return
        if row["is_cut"]:
            self._doubts[(*key, "cut when it was recorded, or too long")].append(row)
            return
        for sample in row["samples"]:
            self._one(key, known, apis, {**row, **sample, "one": 1})

    def _one(
        self, key: tuple[str, str], schemas: Sequence[Place], apis: Sequence[Api], row: Row
    ) -> None:
        try:
            body: JsonValue = msgspec.json.decode(row["body"])
        except (msgspec.DecodeError, RecursionError, ValueError):
            self._doubts[(*key, "no JSON as recorded, perhaps cut")].append({**row, "n": 1})
            return
        if isinstance(body, dict) and len(body) == 1 and next(iter(body)).startswith("$"):
            # How the store writes bytes and other values that JSON has no word for.
            self._doubts[(*key, "not recorded as text")].append({**row, "n": 1})
            return
        direction: Direction = "request" if row["part"] == "request" else "response"
        judged = [self._validator(one, apis).judge(one, direction, body) for one in schemas]
        self._checked[key] += 1
        if any(not one.faults and not one.doubt for one in judged):
            return
        doubt = next((one for one in judged if one.doubt), None)
        if doubt is not None:
            self._doubts[(*key, doubt.doubt)].append({**row, "n": 1})
            return
        self._count(key, judged[0], row)

    def _count(self, key: tuple[str, str], judged: Judged, row: Row) -> None:
        for fault in judged.faults:
            self._faults[(*key, f"{fault.path} {fault.message}")].append(row)

    def _validator(self, schema: Place, apis: Sequence[Api]) -> Validator:
        if schema.source not in self._validators:
            is_30 = next(api.is_30 for api in apis if api.source == schema.source)
            self._validators[schema.source] = Validator(is_30)
        return self._validators[schema.source]

    def results(self) -> list[Result]:
        """One result per thing broken, and one per reason not to know."""
        told = []
        for (name, part, said), rows in sorted(self._faults.items()):
            seen, checked = self._seen[name, part], self._checked[name, part]
            rest = "" if checked == seen else f" ({checked} of {seen} bodies checked)"
            told.append(
                Result(
                    rule="body_violates_schema",
                    verdict=Verdict.VIOLATION,
                    severity="warning",
                    service=self._service,
                    operation=name,
                    message=f"{part}: {said}{rest}",
                    n=len(rows),
                    total=checked,
                    unit="bodies",
                    callers=callers_of(rows, "one"),
                    evidence=evidence_of(rows),
                    facts={"bodies_seen": seen, "part": part},
                )
            )
        for (name, part, reason), rows in sorted(self._doubts.items()):
            told.append(
                Result(
                    rule="body_not_checked",
                    verdict=Verdict.UNKNOWN,
                    severity="info",
                    service=self._service,
                    operation=name,
                    message=f"{part}: {reason}",
                    n=sum(row["n"] for row in rows),
                    total=self._seen[name, part],
                    unit="bodies",
                    evidence=evidence_of([row for row in rows if "trace_id" in row]),
                    facts={"bodies_seen": self._seen[name, part], "part": part},
                )
            )
        return told
