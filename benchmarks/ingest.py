"""Speed of loading: ours and the limits it is measured against, in one run.

    python benchmarks/ingest.py [--spans 100000]

Rates are spans per second of wall clock, with CPU seconds beside them: on a busy machine compare
those. Every load runs in a process of its own, so that its memory is its own.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import msgspec
import pyarrow.parquet as pq
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.lib.span_data import Generator, protobuf_of
from ingest.pipeline import IngestSettings, ingest_paths
from store.lease import Store
from store.statements import definitions

KEY = b"a key for benchmarks"
TABLES = ("spans", "span_events", "span_links")


def loaded(folder: Path, name: str, redact: bool) -> None:
    """Load one file into a store of its own, twice."""
    store = Store(folder / f"{name}.{redact}.duckdb")
    settings = IngestSettings(redaction_key=KEY, redact=redact)

    def load() -> int:
        report = ingest_paths(store, [str(folder / name)], settings)
        return sum(map(report.total, ("spans", "logs", "duplicates")))

    first, again = measured(load), measured(load)
    print(json.dumps({**first, "again": again}))


def msgspec_decode(folder: Path) -> None:
    """Every line as plain JSON values, nothing more."""
    decode = msgspec.json.Decoder().decode

    def work() -> int:
        spans = 0
        with (folder / "traces.jsonl").open("rb") as lines:
            for line in lines:
                for part in decode(line)["resourceSpans"]:
                    spans += sum(len(scope["spans"]) for scope in part["scopeSpans"])
        return spans

    print(json.dumps(measured(work)))


def upb_decode(folder: Path) -> None:
    """Every message as protobuf's own classes, nothing more."""

    def work() -> int:
        spans = 0
        with (folder / "traces.pb").open("rb") as file:
            while size := file.read(4):
                message = TracesData.FromString(file.read(int.from_bytes(size)))
                for part in message.resource_spans:
                    spans += sum(len(scope.spans) for scope in part.scope_spans)
        return spans

    print(json.dumps(measured(work)))


def parquet_insert(folder: Path) -> None:
    """The columns of a loaded store, out of Parquet into tables of the same shape."""
    with duckdb.connect(str(folder / "traces.pb.True.duckdb"), read_only=True) as source:
        for table in TABLES:
            found = source.table(table).to_arrow_table()
            pq.write_table(found, folder / f"{table}.parquet", compression="zstd")
    target = duckdb.connect(str(folder / "columns.duckdb"))
    for definition in definitions():
        target.execute(definition)

    def work() -> int:
        for table in TABLES:
            target.read_parquet(str(folder / f"{table}.parquet")).insert_into(table)
        target.execute("CHECKPOINT")
        return int(target.table("spans").count("*").fetchall()[0][0])

    print(json.dumps(measured(work)))


def measured(work: Callable[[], int]) -> dict[str, float]:
    """What some work took, and how many spans it says it saw."""
    wall, cpu = time.perf_counter(), time.process_time()
    spans = work()
    return {
        "spans": spans,
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


WORKS: dict[str, Callable[[Path], None]] = {
    "json": lambda folder: loaded(folder, "traces.jsonl", True),
    "json unredacted": lambda folder: loaded(folder, "traces.jsonl", False),
    "protobuf": lambda folder: loaded(folder, "traces.pb", True),
    "protobuf unredacted": lambda folder: loaded(folder, "traces.pb", False),
    "logs": lambda folder: loaded(folder, "logs.jsonl", True),
    "msgspec": msgspec_decode,
    "upb": upb_decode,
    "parquet": parquet_insert,
}
SHOWN = {
    "json": "OTLP JSON lines -> store",
    "json unredacted": "  without redaction",
    "protobuf": "OTLP protobuf -> store",
    "protobuf unredacted": "  without redaction",
    "logs": "log records, OTLP JSON lines -> store",
    "msgspec": "msgspec decodes the lines, no more",
    "upb": "upb decodes the messages, no more",
    "parquet": "same columns, Parquet -> table",
}


def in_child(work: str, folder: Path) -> dict[str, float]:
    """Run one of the works in a process of its own."""
    command = [sys.executable, __file__, "--child", work, "--folder", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def generated(folder: Path, spans: int) -> None:
    """The same spans as JSON lines and as length-delimited protobuf; as many log records."""
    with (folder / "traces.jsonl").open("w") as lines, (folder / "traces.pb").open("wb") as file:
        for document in Generator().documents(spans):
            lines.write(document + "\n")
            file.write(protobuf_of(document))
    with (folder / "logs.jsonl").open("w") as lines:
        lines.writelines(document + "\n" for document in Generator().log_documents(spans))


def table(results: dict[str, dict]) -> None:  # type: ignore[type-arg]
    """All rates and the ratios that are aimed at."""
    print(f"{'':36}{'spans/s':>10}{'wall s':>9}{'CPU s':>9}{'us CPU/span':>13}{'RSS MB':>8}")
    for work, found in results.items():
        rate, per_span = found["spans"] / found["wall"], found["cpu"] / found["spans"] * 1e6
        numbers = f"{rate:10,.0f}{found['wall']:9.2f}{found['cpu']:9.2f}{per_span:13.1f}"
        print(f"{SHOWN[work]:36}{numbers}{found['rss']:8.0f}")
    print(f"\n{'ratio':52}{'by wall':>9}{'by CPU':>9}")
    pairs = (
        ("protobuf -> store / Parquet -> table (aim 0.5)", "parquet", "protobuf"),
        ("JSON lines -> store / msgspec decode (aim 0.5)", "msgspec", "json"),
        ("protobuf -> store / upb decode", "upb", "protobuf"),
        ("JSON lines, unredacted / redacted time", "json unredacted", "json"),
        ("protobuf, unredacted / redacted time", "protobuf unredacted", "protobuf"),
    )
    for said, less, more in pairs:
        one, other = results[less], results[more]
        ratios = (one["wall"] / other["wall"], one["cpu"] / other["cpu"])
        print(f"{said:52}{ratios[0]:9.2f}{ratios[1]:9.2f}")
    for work in ("json", "protobuf"):
        first, again = results[work], results[work]["again"]
        ratios = (first["wall"] / again["wall"], first["cpu"] / again["cpu"])
        print(
            f"reload of {work:9} is faster by (aim 100)           {ratios[0]:10.0f}{ratios[1]:9.0f}"
        )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--spans", type=int, default=100_000)
    arguments.add_argument("--child", choices=sorted(WORKS), help=argparse.SUPPRESS)
    arguments.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.child:
        WORKS[chosen.child](chosen.folder)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generated(folder, chosen.spans)
        sizes = [(folder / file).stat().st_size / 1e6 for file in ("traces.jsonl", "traces.pb")]
        print(f"{chosen.spans:,} spans; {sizes[0]:.0f} MB JSON lines, {sizes[1]:.0f} MB protobuf")
        order = ["protobuf", "protobuf unredacted", "json", "json unredacted", "logs"]
        table({work: in_child(work, folder) for work in [*order, "msgspec", "upb", "parquet"]})


if __name__ == "__main__":
    main()
