"""What data there is, so that absence can be told from ignorance."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from store.model import Span

GRACE_NS = 5_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCoverage:
    """The time range in which one service's spans were received."""

    first_ns: int
    last_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Which services were heard of and until when.

    `data_end_ns` is the end of all data; `grace_ns` how long after a flow's end its late effects
    may still appear. With `unknown_sampling` no absence proves anything.
    """

    services: Mapping[str, ServiceCoverage] = field(default_factory=dict)
    data_end_ns: int = 0
    grace_ns: int = GRACE_NS
    unknown_sampling: bool = False


def coverage_of(
    spans: Iterable[Span], *, grace_ns: int = GRACE_NS, unknown_sampling: bool = False
) -> Coverage:
    """The coverage of a set of spans taken as all the data there is."""
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for span in spans:
        end = span.end_ns if span.end_ns is not None else span.start_ns
        first[span.service] = min(first.get(span.service, span.start_ns), span.start_ns)
        last[span.service] = max(last.get(span.service, end), end)
    return Coverage(
        services={
            name: ServiceCoverage(first_ns=first[name], last_ns=last[name])
            for name in sorted(first)
        },
        data_end_ns=max(last.values(), default=0),
        grace_ns=grace_ns,
        unknown_sampling=unknown_sampling,
    )
