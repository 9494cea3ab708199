"""Bodies of HTTP requests, opened and bounded."""

import zlib

from ingest.receivers.errors import TooLargeError, UndecodableBodyError

GZIP = 31


def opened(body: bytes, encoding: str, limit: int) -> bytes:
    """The plain bytes; never more than `limit` of them."""
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip"):
        raise UndecodableBodyError(f"content encoding {encoding[:40]!r} is not read; gzip is")
    plain = bytearray()
    rest = body
    try:
        while rest:
            member = zlib.decompressobj(wbits=GZIP)
            plain += member.decompress(rest, limit + 1 - len(plain))
            if len(plain) > limit:
                raise too_large(limit)
            if not member.eof:
                raise UndecodableBodyError("the gzip data ends early")
            rest = member.unused_data
    except zlib.error as error:
        raise UndecodableBodyError(f"no gzip data ({str(error)[:80]})") from error
    return bytes(plain)


def too_large(limit: int) -> TooLargeError:
    """What a body past the limit is told."""
    return TooLargeError(f"the body is larger than body_bytes = {limit}")
