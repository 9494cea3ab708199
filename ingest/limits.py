"""The named limits of every input."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an input may be at most.

    Past `document_bytes`, `line_bytes`, `nesting_depth` the record is rejected with the limit's
    name. Past `attributes_per_record`, `attribute_chars`, `events_per_span`, `links_per_span` the
    rest is cut off, counted in the record under `retrospan.truncated`. Past `decompressed_bytes`
    reading stops: what came before is kept, the file is reported.
    """

    document_bytes: int = 128 * 1024 * 1024
    line_bytes: int = 128 * 1024 * 1024
    nesting_depth: int = 64
    attributes_per_record: int = 1024
    attribute_chars: int = 1024 * 1024
    events_per_span: int = 4096
    links_per_span: int = 4096
    decompressed_bytes: int = 64 * 1024 * 1024 * 1024


EXCERPT_CHARS = 80


def excerpt_of(data: bytes) -> str:
    """How a refused record began, short enough to show on one line."""
    return " ".join(data[: EXCERPT_CHARS * 2].decode("utf-8", "replace").split())[
        :EXCERPT_CHARS
    ].rstrip()
