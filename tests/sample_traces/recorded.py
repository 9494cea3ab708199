"""The committed recordings, read without the code under test."""

from __future__ import annotations

import gzip
import json
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).resolve().parents[2] / "sample_traces"
PAYMENTS = ("payment-healthy", "payment-brownout", "payment-brownout-plain")
ONBOARDINGS = ("onboarding-healthy", "onboarding-model-rollout")
ENRICHMENTS = ("enrichment-healthy", "enrichment-drift")
NAMES = (*PAYMENTS, *ONBOARDINGS, *ENRICHMENTS)
PLAIN = "payment-brownout-plain"

Span = dict[str, Any]


def lines(sample: str, name: str) -> Iterator[Any]:
    """The documents of one file of a sample."""
    with gzip.open(SAMPLES / sample / name, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


@cache
def expected(sample: str) -> dict[str, Any]:
    """The parsed truth of a sample."""
    return tomllib.loads((SAMPLES / sample / "expected.toml").read_text(encoding="utf-8"))


@cache
def spans(sample: str) -> list[Span]:
    """All spans, with `service`, its `version` and a flat `attributes` map."""
    found: list[Span] = []
    for document in lines(sample, "traces.jsonl.gz"):
        for resource in document["resourceSpans"]:
            named = flat(resource["resource"]["attributes"])
            told = {"service": named["service.name"], "version": named["service.version"]}
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    attributes = flat(span.get("attributes", []))
                    found.append({**span, **told, "attributes": attributes})
    return found


def log_records(sample: str) -> Iterator[dict[str, Any]]:
    """All log records, with a flat `attributes` map."""
    for document in lines(sample, "logs.jsonl.gz"):
        for resource in document["resourceLogs"]:
            for scope in resource["scopeLogs"]:
                for record in scope["logRecords"]:
                    yield {**record, "attributes": flat(record.get("attributes", []))}


def part(sample: str, numbers: range, folder: Path) -> Path:
    """Write a sample with the flows of these numbers only; gives its folder."""
    ids = flow_ids(sample).items()
    wanted = {trace_id for trace_id, flow_id in ids if int(flow_id[-6:]) in numbers}

    def told(item: Any) -> bool:
        of = item.get("traceId", item.get("trace_id")) if isinstance(item, dict) else None
        return of is None or of in wanted

    def kept(value: Any) -> Any:
        if isinstance(value, list):
            return [kept(item) for item in value if told(item)]
        return {name: kept(it) for name, it in value.items()} if isinstance(value, dict) else value

    target = folder / sample
    target.mkdir()
    for path in sorted((SAMPLES / sample).glob("*.gz")):
        with gzip.open(target / path.name, "wt", encoding="utf-8") as file:
            for line in kept(list(lines(sample, path.name))):
                file.write(json.dumps(line) + "\n")
    return target


def flat(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    """OTLP's key-value list as a map of bare values."""
    return {item["key"]: next(iter(item["value"].values())) for item in attributes}


def finding(sample: str, finder: str) -> set[str]:
    """The flows of one expected finding."""
    for entry in expected(sample)["findings"]:
        if entry["finder"] == finder:
            return set(entry["flows"])
    raise AssertionError(f"{sample}: no expected finding {finder}")


def flow_ids(sample: str) -> dict[str, str]:
    """Trace id to flow id, from the spans that name their flow."""
    found = {}
    for span in spans(sample):
        if "retrospan.flow.id" in span["attributes"]:
            found[span["traceId"]] = span["attributes"]["retrospan.flow.id"]
    return found
