"""Where a request of the code differs from the recorded one, and what of that is noise."""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from replay.code.asked import Asked
from replay.exchange import Exchange
from replay.leaves import Leaves, Scalar, same
from replay.noise import NAMES, id_shape, last_name, time_shape
from replay.requests import leaves_of


def arguments(
    asked: Asked, exchange: Exchange, recorded: Leaves
) -> Iterator[tuple[str, Scalar, Scalar]]:
    """Where a request differs from the recorded one it repeats: path, recorded, asked."""
    request, replayed = asked.request, asked.leaves
    if request.path != exchange.path:
        yield "path", exchange.path, request.path
    if exchange.request_body is None:
        replayed = leaves_of(request.query, b"")
    paths = () if asked.match.rung == "exact" else sorted({*recorded, *replayed})
    for path in paths:
        old, new = recorded.get(path), replayed.get(path)
        if path not in recorded or path not in replayed or not same(old, new):
            yield f"request.{path}", old, new
    for name in sorted(exchange.request_headers):
        old, new = exchange.request_headers[name], request.headers.get(name)
        if new != old:
            yield f"header.{name}", old, new


def is_noise(path: str, old: Scalar, new: Scalar, configured: Sequence[str]) -> bool:
    """Made anew for each call: moments, and ids of one shape; or named so by the user."""
    if any(fnmatchcase(path, pattern) for pattern in configured):
        return True
    if path.startswith("header.") and last_name(path) in NAMES - {"idempotency_key"}:
        return True
    name = path.partition(".")[2]
    moments = time_shape(name, old) and time_shape(name, new)
    return moments or (id_shape(old) and id_shape(new))
