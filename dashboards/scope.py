"""Which part of the data a reader looks at: time range, environment, service. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from dashboards.wording import clean, shortened, time_text
from retrospan.timespan import parse_moment, rfc3339
from store.errors import UsageError

NAMES = ("from", "to", "env", "service")  # in the address of every page
VALUE_LENGTH_MAX = 200
ALL = "all"  # as `from`: the whole of a store whose pages open with a part of it
ENVIRONMENT_NAMES = ("deployment.environment.name", "deployment.environment")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Flows that began in `since_ns <= start < until_ns`; None and "" do not narrow.

    `since` and `until` are as typed: RFC 3339, or a length before the end of the data. `faults`
    are sentences about values that could not be read; those narrow nothing. `opened` says that no
    range was asked for, and the page opened with one it can answer soon.
    """

    since: str = ""
    until: str = ""
    since_ns: int | None = None
    until_ns: int | None = None
    environment: str = ""
    services: Sequence[str] = ()
    faults: Sequence[str] = ()
    opened: bool = False

    @property
    def narrow(self) -> bool:
        """Whether anything is left out."""
        return bool(
            self.environment
            or self.services
            or self.since_ns is not None
            or self.until_ns is not None
        )

    def within(self, since_ns: int, until_ns: int) -> "Scope":
        """The part of it between two moments."""
        begin = since_ns if self.since_ns is None else max(since_ns, self.since_ns)
        end = until_ns if self.until_ns is None else min(until_ns, self.until_ns)
        return replace(self, since_ns=begin, until_ns=end)

    def address(self) -> dict[str, str | list[str]]:
        """The values as an address holds them."""
        values: Mapping[str, str | list[str]] = {
            "from": self.since,
            "to": self.until,
            "env": self.environment,
            "service": list(self.services),
        }
        return {name: value for name, value in values.items() if value}

    def as_options(self) -> list[str]:
        """Options of the commands that take `--since`, `--until`, `--service` and `--where`."""
        since = rfc3339(self.since_ns) if self.opened and self.since_ns else self.since
        options = ["--since", since] if self.since_ns is not None else []
        options += ["--until", self.until] if self.until_ns is not None else []
        options += ["--service", self.services[0]] if len(self.services) == 1 else []
        if self.environment:
            options += ["--where", f"{ENVIRONMENT_NAMES[0]}={self.environment}"]
        return options

    def told(self) -> str:
        """The scope in words, for a line under a heading."""
        parts = []
        if self.since_ns is not None or self.until_ns is not None:
            begin = time_text(self.since_ns, digits=0) if self.since_ns is not None else "the start"
            end = time_text(self.until_ns, digits=0) if self.until_ns is not None else "the end"
            parts.append(f"flows that began from {begin} to {end}")
        if self.environment:
            parts.append(f"environment {self.environment}")
        if self.services:
            parts.append(f"service {' or '.join(self.services)}")
        return clean(", ".join(parts)) or "all of the data"


def scope_of(
    values: Mapping[str, Sequence[str]],
    data_end_ns: int | None,
    opens_at: Callable[[int | None], int | None] = lambda until_ns: None,
) -> Scope:
    """The scope an address names; `values` holds each name's values in their order.

    Without a `from` the range begins where `opens_at` says for its end; None does not narrow.
    """
    faults: list[str] = []

    def first(name: str) -> str:
        given = values.get(name) or ("",)
        return given[0].strip()[:VALUE_LENGTH_MAX]

    def moment(name: str) -> int | None:
        text = first(name)
        if not text or (name == "from" and text == ALL):
            return None
        try:
            return parse_moment(text, data_end_ns, name)
        except UsageError as error:
            faults.append(f"{error}. It narrows nothing here.")
            return None

    since_ns, until_ns = moment("from"), moment("to")
    opened_ns = None if first("from") else opens_at(until_ns)
    since_ns = opened_ns if since_ns is None else since_ns
    if since_ns is not None and until_ns is not None and until_ns <= since_ns:
        faults.append("The time range ends before it begins: nothing lies in it.")
    services = [name[:VALUE_LENGTH_MAX] for name in values.get("service") or () if name]
    return Scope(
        since=first("from"),
        until=first("to"),
        since_ns=since_ns,
        until_ns=until_ns,
        environment=first("env"),
        services=tuple(dict.fromkeys(services)),
        faults=[clean(shortened(fault, 400)) for fault in faults],
        opened=opened_ns is not None,
    )
