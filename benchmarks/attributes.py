"""The type of the attribute column: JSON text against VARIANT, with diverse keys.

    python -P benchmarks/attributes.py [--spans 50000]

CPU seconds, because they hold on a busy machine. Every column is made from the same texts, which a
load of generated spans wrote; the answers to the questions are compared.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.lib.measuring import machine, spent, table
from benchmarks.lib.span_data import Generator, protobuf_of
from ingest.pipeline import IngestSettings, ingest_paths
from store.lease import Store

ROWS_PER_INSERT = 40_960
RUNS = 5
NEVER_SHREDDED = {"variant_minimum_shredding_size": "-1"}
COLUMNS: dict[str, tuple[str, dict[str, str]]] = {
    "VARCHAR": ("VARCHAR", {}),
    "JSON": ("JSON", {}),
    "VARIANT, not shredded": ("VARIANT", NEVER_SHREDDED),
    "VARIANT, shredded": ("VARIANT", {}),
}
# By the way a column's type is asked: a text by a JSON path, a VARIANT by its own fields.
TEXT = {
    "one common key": "attributes->>'/tenant.id' = 't-042'",
    "a common and a rare key": "attributes->>'/http.response.status_code' = '503' "
    "AND attributes->>'/app.s3.field_2' IS NOT NULL",
}
FIELDS = {
    "one common key": "attributes['tenant.id']::VARCHAR = 't-042'",
    "a common and a rare key": "attributes['http.response.status_code']::VARCHAR = '503' "
    "AND attributes['app.s3.field_2'] IS NOT NULL",
}


def texts(spans: int, folder: Path) -> pa.Table:
    """The attribute maps of a load, with the place of each."""
    source = folder / "spans.pb"
    source.write_bytes(b"".join(map(protobuf_of, Generator().documents(spans))))
    store = Store(folder / "source.duckdb")
    ingest_paths(store, [str(source)], IngestSettings(redaction_key=b"a key for benchmarks"))
    with duckdb.connect(str(store.path), read_only=True) as connection:
        found: pa.Table = connection.sql(
            "SELECT row_number() OVER (ORDER BY trace_id, span_id) AS place, "
            "attributes::VARCHAR AS attributes FROM spans ORDER BY place"
        ).to_arrow_table()
        return found


def measured(name: str, data: pa.Table, folder: Path) -> tuple[list[object], list[object]]:
    """A row of the table, and the answers to the questions."""
    kind, settings = COLUMNS[name]
    path = folder / "column.duckdb"
    path.unlink(missing_ok=True)
    config: dict[str, str | bool | int | float | list[str]] = {"threads": "1", **settings}
    with duckdb.connect(str(path), config=config) as connection:
        connection.execute(f"CREATE TABLE t (place BIGINT, attributes {kind})")
        cast = "attributes::JSON::VARIANT" if kind == "VARIANT" else "attributes"
        with spent() as inserted:
            for at in range(0, data.num_rows, ROWS_PER_INSERT):
                rows = connection.from_arrow(data.slice(at, ROWS_PER_INSERT))
                rows.project(f"place, {cast}").insert_into("t")
        with spent() as closed:
            connection.execute("CHECKPOINT")
        questions = FIELDS if kind == "VARIANT" else TEXT
        column = connection.table("t")
        asked = [column.filter(where).count("*") for where in questions.values()]
        wanted = range(1, data.num_rows, data.num_rows // 20 or 1)
        few = column.filter(f"place IN ({', '.join(map(str, wanted))})")
        asked.append(few.aggregate("sum(strlen(attributes::JSON::VARCHAR)) > 0"))
        answers, took = zip(*map(answered, asked), strict=True)
    size = path.stat().st_size
    per_row = inserted.cpu / data.num_rows * 1e6
    return [name, per_row, closed.cpu, size / 1e6, *(ms for ms in took)], list(answers)


def answered(question: duckdb.DuckDBPyRelation) -> tuple[object, float]:
    """The answer, and the median of its CPU milliseconds."""
    times, answer = [], None
    for _ in range(RUNS):
        with spent() as taken:
            answer = question.project("*").fetchall()  # asked anew
        times.append(taken.cpu * 1e3)
    return answer, statistics.median(times)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--spans", type=int, default=50_000)
    given = parser.parse_args(arguments)
    print(machine(), f"DuckDB {duckdb.__version__}", sep=", ")
    rows, answers = [], []
    with tempfile.TemporaryDirectory() as name:
        data = texts(given.spans, Path(name))
        print(f"{data.num_rows:,} maps, {data.nbytes / data.num_rows:.0f} bytes each")
        for column in COLUMNS:
            row, said = measured(column, data, Path(name))
            rows.append(tuple(row))
            answers.append(said)
    headings = ("column", "insert us CPU/row", "checkpoint CPU s", "MB", *TEXT, "fetch 20 rows")
    table((*headings[:4], *(f"{question}, CPU ms" for question in headings[4:])), rows)
    if any(said != answers[0] for said in answers):
        raise AssertionError(f"the columns answer differently: {answers}")


if __name__ == "__main__":
    main()
