"""The names of formats that are not read, so that a refusal can say what the input is."""

import re
from pathlib import PurePath

# Files that stand beside data in a folder; named on their own they are refused like any other.
NOT_DATA_SUFFIXES = frozenset(
    {".md", ".rst", ".toml", ".html", ".css", ".js", ".py", ".sql", ".sh"}
    | {".ini", ".cfg", ".lock", ".png", ".jpg", ".svg", ".pdf", ".duckdb", ".wal"}
)
DATA_SUFFIXES = frozenset(
    {".json", ".jsonl", ".ndjson", ".pb", ".binpb", ".otlp", ".parquet", ".arrow", ".avro"}
    | {".csv", ".tsv", ".gz", ".zst", ".har", ".log", ".db", ".sqlite", ".msgpack", ".thrift"}
)

_MAGIC = (
    (b"ARROW1", "an Arrow file"),
    (b"\xff\xff\xff\xff", "an Arrow stream"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed data"),
    (b"BZh", "bzip2-compressed data"),
    (b"\xfd7zXZ", "xz-compressed data"),
    (b"PK\x03\x04", "a zip archive"),
    (b"SQLite format 3", "a SQLite database"),
    (b"Obj\x01", "Avro"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG image"),
    (b"\x1f\x8b", "gzip inside gzip"),
)
_TEXT = (
    (rb'"log"\s*:\s*\{\s*"(?:version|creator|entries|pages)"', "HAR"),
    (rb'"resourceProfiles"\s*:', "OTLP profiles"),
)
_PATTERNS = tuple((re.compile(pattern, re.DOTALL), name) for pattern, name in _TEXT)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")


def kind_of(head: bytes, path: str) -> str:
    """What an input that no reader claims looks like."""
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    if _CONTROL.search(head):
        # A protobuf message whose first field is 1 and holds a message begins with byte 10.
        suffix = PurePath(path.removesuffix(".gz")).suffix.lower()
        if head[:1] == b"\n" or suffix in {".pb", ".binpb", ".otlp"}:
            return "OTLP protobuf"
        return "binary data"
    for pattern, name in _PATTERNS:
        if pattern.search(head):
            return name
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text[:1] in (b"{", b"["):
        return "JSON of an unknown kind"
    return "CSV" if path.lower().endswith((".csv", ".csv.gz")) else "text of an unknown kind"
