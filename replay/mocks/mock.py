"""What a mock format is, and what all of them share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus

import replay.mocks.formats
from analyzer.discovery import discover
from replay.exchange import Exchange


@dataclass(frozen=True, slots=True, kw_only=True)
class Mock:
    """A file format of a mocking tool.

    `write` gives the text for exchanges of a flow that began at `origin_ns` (UTC), and what of
    them the format has no place for.
    """

    name: str
    title: str
    write: Callable[[Sequence[Exchange], int], tuple[str, Sequence[str]]]


@lru_cache(maxsize=1)
def mocks() -> dict[str, Mock]:
    """All formats by name."""
    return discover(replay.mocks.formats, "MOCK", Mock)


def url_of(exchange: Exchange) -> str:
    """The URL asked for; recordings tell the scheme of none, so it is http."""
    return f"http://{exchange.host}{exchange.target}"


def reason_of(status: int) -> str:
    """The usual words for a status, "" for one without."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def unanswered(exchange: Exchange) -> str:
    """How a request that got no answer is named to people."""
    return f"{exchange.method} {url_of(exchange)}: no answer ({exchange.error or 'not recorded'})"


def content_type(body: str) -> str:
    """What a body is, where no header says."""
    return "application/json" if body[:1] in ("{", "[") else "text/plain; charset=utf-8"


def response_headers(exchange: Exchange) -> dict[str, str]:
    """The recorded headers without those that speak of other bytes than these."""
    dropped = ("content-length", "content-encoding", "transfer-encoding", "connection")
    kept = {name: it for name, it in exchange.response_headers.items() if name not in dropped}
    if exchange.response_body:
        kept.setdefault("content-type", content_type(exchange.response_body))
    return dict(sorted(kept.items()))
