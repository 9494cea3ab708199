"""Cassettes of vcrpy (format version 1): what it records, it replays.

A cassette has no place for a request that got no answer.
"""

from collections.abc import Sequence

import yaml

from replay.exchange import Exchange
from replay.mocks.mock import Mock, reason_of, response_headers, unanswered, url_of


def _write(exchanges: Sequence[Exchange], origin_ns: int) -> tuple[str, Sequence[str]]:
    del origin_ns
    left_out = [unanswered(it) for it in exchanges if it.error is not None or it.status is None]
    interactions = [
        {
            "request": {
                "method": it.method,
                "uri": url_of(it),
                "body": it.request_body,
                "headers": {name: [value] for name, value in sorted(it.request_headers.items())},
            },
            "response": {
                "status": {"code": it.status, "message": reason_of(it.status)},
                "headers": {name: [value] for name, value in response_headers(it).items()},
                "body": {"string": it.response_body or ""},
            },
        }
        for it in exchanges
        if it.error is None and it.status is not None
    ]
    document = {"version": 1, "interactions": interactions}
    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=False, width=100)
    return text, left_out


MOCK = Mock(name="vcr", title="vcrpy cassette", write=_write)
