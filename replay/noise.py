"""Which values of a request say nothing about which call it is.

Four sources, in one grammar of paths (`header.x`, `query.y`, `body.a.b` or whatever the recording
uses): names that protocols define, shapes of values made fresh for each call, paths that nothing
recorded explains over several flows, and paths the user lists.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from replay.infer.program import Program
from replay.infer.view import base_name
from replay.leaves import Scalar

# W3C Trace Context and Baggage, RFC 9110 message fields, and the usual names of request ids.
NAMES = frozenset(
    {
        "traceparent", "tracestate", "baggage", "b3", "trace_id", "span_id", "date", "user_agent",
        "content_length", "connection", "host", "via", "x_request_id", "request_id",
        "x_correlation_id", "correlation_id", "x_amzn_trace_id", "idempotency_key", "nonce",
    }
)  # fmt: skip
_TIME_NAMES = ("time", "timestamp", "ts", "at", "date")
_SHAPES = (
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
    r"[0-7][0-9A-HJKMNP-TV-Z]{25}",  # ULID
    r"(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{16,128}",
    r"ey[\w-]{8,}\.[\w-]{4,}\.[\w-]*",  # JWT
    r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}",
)
_SHAPE = re.compile("|".join(f"(?:{shape})" for shape in _SHAPES))
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?", re.ASCII
)
_SHAPE_LENGTH_MAX = 2_048
# 2000-01-01 to 2100-01-01 in seconds; three more digits for each finer unit.
_EPOCH = (946_684_800, 4_102_444_800)
# Shorter texts and small numbers coincide by chance, so they are not followed from call to call.
_TELLING_LENGTH = 6
_TELLING_NUMBER = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """`learned` are paths by operation, `configured` path patterns of the user (`*` is any text).

    A path that is noise by name or list is never compared, nor is a moment. What has the shape of
    an id is compared wherever the value is known from elsewhere: then it identifies something.
    """

    learned: Mapping[str, frozenset[str]] = field(default_factory=dict)
    configured: Sequence[str] = ()

    def by_path(self, op: str, path: str) -> bool:
        """Say whether a path is noise whatever it holds."""
        if last_name(path) in NAMES or path in self.learned.get(op, ()):
            return True
        return any(fnmatchcase(path, pattern) for pattern in self.configured)


def noise_of(program: Program | None, configured: Sequence[str] = ()) -> Noise:
    """Take what a program has learned: request values that nothing explains over its flows."""
    learned: dict[str, frozenset[str]] = {}
    for name, operation in sorted(({} if program is None else program.operations).items()):
        op = base_name(name)
        paths = frozenset(operation.request.noise)
        # An operation at several places: noise is what is noise at all of them.
        learned[op] = learned[op] & paths if op in learned else paths
    return Noise(learned=learned, configured=tuple(configured))


def id_shape(value: Scalar) -> bool:
    """Say whether a value looks like an id or a token made for this call."""
    if not isinstance(value, str) or not 16 <= len(value) <= _SHAPE_LENGTH_MAX:
        return False
    return _SHAPE.fullmatch(value) is not None


def time_shape(path: str, value: Scalar) -> bool:
    """Say whether a value looks like a moment; two calls may well share one."""
    if isinstance(value, str):
        return 16 <= len(value) <= 40 and _MOMENT.fullmatch(value) is not None
    if isinstance(value, bool) or not isinstance(value, int | float) or value < _EPOCH[0]:
        return False
    for power in (0, 3, 6, 9):
        low, high = (bound * 10**power for bound in _EPOCH)
        if low <= value < high:
            # Ten digits may well be an amount; only a name says that it is a time.
            return power > 0 or last_name(path).split("_")[-1] in _TIME_NAMES
    return False


def last_name(path: str) -> str:
    """Give the last name of a path, in lower case with underscores."""
    return path.rpartition(".")[2].lower().replace("-", "_")


def telling(value: Scalar) -> bool:
    """Say whether a value can be followed from call to call."""
    if isinstance(value, str):
        return len(value) >= _TELLING_LENGTH
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and abs(value) >= _TELLING_NUMBER
    )
