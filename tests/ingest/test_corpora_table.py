"""One table over all data made by others: nothing is lost between two versions unseen.

The tests of each family of formats count the same files in a way that knows nothing of our readers;
here stands what comes out. `pytest -s` prints the table with the reason of every refusal.
"""

import gzip
import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest

from ingest.kinds import kind_of
from ingest.limits import Limits
from ingest.reader import HEAD_BYTES, MetricsSeen, claimant, discover
from ingest.streams import Input
from store.model import Decision, LogRecord, Rejected, Span
from tests.third_party import corpora_folder

pytestmark = pytest.mark.corpora

KINDS: dict[type, str] = {
    Span: "spans",
    LogRecord: "logs",
    Decision: "decisions",
    MetricsSeen: "metric points",
    Rejected: "refused",
}
COLUMNS = ("files", "read", *KINDS.values())
# Of each folder: files, those that a reader claims, then records by kind.
EXPECTED = {
    "agents/AgentOps-AI+agentops": (11, 1, 0, 8, 0, 0, 0),
    "agents/Arize-ai+openinference": (26, 17, 36, 0, 0, 0, 0),
    "agents/jaegertracing+jaeger-ui": (1, 1, 57, 0, 0, 0, 0),
    "agents/langfuse+langfuse": (18, 9, 46, 0, 0, 0, 0),
    "agents/mingyin1+Agents_Failure_Attribution": (63, 63, 607, 0, 0, 0, 0),
    "agents/open-policy-agent+opa": (1, 1, 0, 0, 3, 0, 0),
    "agents/open-telemetry+opentelemetry-python-contrib": (34, 34, 70, 0, 0, 0, 0),
    "agents/sierra-research+tau-bench": (1, 1, 5508, 0, 0, 0, 0),
    "othertraces/DataDog+dd-trace-py": (79, 79, 276, 0, 0, 0, 0),
    "othertraces/FudanSELab+train-ticket": (3, 3, 13, 0, 0, 0, 0),
    "othertraces/jaegertracing+jaeger": (27, 23, 38, 0, 0, 0, 2),
    "othertraces/jaegertracing+jaeger-ui": (23, 22, 180, 0, 0, 0, 0),
    "othertraces/open-telemetry+opentelemetry-collector": (20, 18, 48, 0, 0, 0, 2),
    "othertraces/open-telemetry+opentelemetry-collector-contrib": (3, 3, 3, 0, 0, 0, 0),
    "othertraces/openzipkin+zipkin": (9, 9, 210, 0, 0, 0, 0),
    "othertraces/uber-research+CRISP": (16, 16, 60, 0, 0, 0, 0),
    "otlp/hyperdxio+hyperdx": (28, 28, 2, 76, 0, 2, 0),
    "otlp/jaegertracing+jaeger": (32, 32, 38, 0, 0, 0, 0),
    "otlp/jaegertracing+jaeger-ui": (6, 6, 17, 0, 0, 0, 0),
    "otlp/open-telemetry+opentelemetry-proto": (4, 4, 1, 2, 0, 4, 0),
    "otlp/smithclay+duckdb-otlp": (35, 33, 17, 16, 0, 29, 6),
    "otlp/smithclay+otlp2parquet": (41, 38, 63, 244, 0, 66, 3),
    "workflows/cadence-workflow+cadence-java-client": (4, 4, 20, 0, 0, 0, 0),
    "workflows/localstack+localstack": (43, 33, 1851, 0, 0, 0, 0),
    "workflows/temporalio+sdk-java": (33, 33, 89, 0, 0, 0, 0),
    "workflows/temporalio+sdk-python": (9, 9, 28, 0, 0, 0, 0),
}


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def counted(path: Path) -> Counter[str]:
    """What a file holds, by the names of COLUMNS."""
    found = Counter(files=1)
    with path.open("rb") as raw:
        stream = Input(raw, Limits().decompressed_bytes)
        head = stream.head(HEAD_BYTES)
        reader = claimant(head, discover()) if head.strip() else None
        if reader is None:
            tell(f"not read: {path}: {kind_of(head, path.name)}")
            return found
        found["read"] = 1
        for item in reader.read(cast(BinaryIO, stream), Limits()):
            found[KINDS[type(item)]] += item.count if isinstance(item, MetricsSeen) else 1
            if isinstance(item, Rejected):
                tell(f"refused: {path}: {item.record}: {item.reason}")
        assert stream.problem is None, path
    return found


def test_every_folder_gives_what_it_gave() -> None:
    corpora = corpora_folder()
    table = {}
    for name in EXPECTED:
        found: Counter[str] = Counter()
        for path in sorted((corpora / name).rglob("*")):
            if path.is_file():
                found += counted(path)
        table[name] = tuple(found[column] for column in COLUMNS)
        tell(f"{name} {dict(zip(COLUMNS, table[name], strict=True))}")
    assert table == EXPECTED


def test_no_folder_is_left_out() -> None:
    corpora = corpora_folder()
    families = ("otlp", "othertraces", "workflows", "agents")
    assert set(EXPECTED) == {
        f"{family}/{path.name}" for family in families for path in (corpora / family).iterdir()
    }


def _json(path: Path) -> Any:
    data = path.read_bytes()
    return json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)


@pytest.mark.parametrize(
    ("pattern", "spans_in"),
    [
        # A span for each message, and one for the run.
        ("agents/mingyin1*/**/*.json", lambda run: len(run["history"]) + 1),
        ("agents/sierra*/**/*.json.gz", lambda runs: sum(len(run["traj"]) + 1 for run in runs)),
        ("agents/jaegertracing*/**/*.json", lambda trace: len(trace["spans"])),
    ],
)
def test_folders_that_no_other_test_counts_hold_as_many_spans(
    pattern: str, spans_in: Callable[[Any], int]
) -> None:
    paths = sorted(corpora_folder().glob(pattern))
    folder = "/".join(paths[0].relative_to(corpora_folder()).parts[:2])
    assert sum(spans_in(_json(path)) for path in paths) == EXPECTED[folder][2]
