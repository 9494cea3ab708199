"""Which flows a reader asked for: pure."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from dashboards.summary import ENDED
from store.conclusions import Incident

# "Only flows with": what cards of the Overview count, by the words they use.
LIMITATIONS: Mapping[str, Callable[[], pl.Expr]] = {
    "ended badly": lambda: (
        pl.col("outcome").is_in(list(ENDED))
        & (
            ~pl.col("outcome").is_in(["succeeded", "compensated"])
            | (pl.col("verdict") == "violation").fill_null(False)
        )
    ),
    "effects left standing": lambda: pl.col("effects") > 0,
    "AI below threshold": lambda: pl.col("decisions_below") > 0,
    "AI decisions": lambda: pl.col("decisions") > 0,
    "retries": lambda: pl.col("attempt_count") > pl.col("step_count"),
    "missing or unfinished spans": lambda: ~pl.col("complete"),
    "replay not identical": lambda: (
        pl.col("replay").is_not_null() & (pl.col("replay") != "identical")
    ),
}
HOW = ("failed", "retried")
NAMES = (
    "outcome", "verdict", "problem", "with", "incident", "kind", "text", "attribute", "longer",
    "shorter", "shape", "caller", "callee", "how",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowFilters:
    """Values of one filter widen each other, filters narrow each other; empty means any.

    `longer` and `shorter` are durations in ms as typed, `attribute` is KEY=VALUE, `shape` the id of
    a variant of flows, `caller`, `callee` and `how` name a call between services.
    """

    outcome: Sequence[str] = ()
    verdict: Sequence[str] = ()
    problem: Sequence[str] = ()
    limitation: Sequence[str] = ()
    incident: Sequence[str] = ()
    kind: Sequence[str] = ()
    text: str = ""
    attribute: str = ""
    longer: str = ""
    shorter: str = ""
    shape: str = ""
    caller: str = ""
    callee: str = ""
    how: str = ""

    def as_options(self) -> list[str]:
        """Options of `retrospan flows list`, which takes one outcome."""
        options = ["--outcome", self.outcome[0]] if len(self.outcome) == 1 else []
        options += ["--where", self.attribute] if self.pair() else []
        options += ["--where", f"name={self.kind[0]}"] if len(self.kind) == 1 else []
        options += ["--where", f"variant={self.shape}"] if self.shape else []
        return [*options, "--json"]

    def as_batch_options(self) -> list[str]:
        """Options of `retrospan replay batch`, which knows one incident too."""
        one = ["--incident", self.incident[0]] if len(self.incident) == 1 else []
        return [*one, *self.as_options()]

    def beyond_batch_options(self) -> bool:
        """Whether that replays more flows than the page."""
        return (replace(self, incident=()) if len(self.incident) == 1 else self).beyond_options()

    def beyond_options(self) -> bool:
        """Whether `flows list` lists more flows than the page."""
        many = len(self.outcome) > 1 or len(self.kind) > 1 or bool(self.text.strip())
        others = (self.verdict, self.problem, self.limitation, self.incident)
        return many or any(others) or any((self.longer, self.shorter, self.callee))

    def pair(self) -> tuple[str, str] | None:
        """Key and value of `attribute`; None when it is not KEY=VALUE."""
        key, equals, value = self.attribute.partition("=")
        return (key.strip(), value.strip()) if equals and key.strip() else None

    def faults(self) -> list[str]:
        """Sentences about values that mean nothing; such a filter finds nothing."""
        told = [
            f"{name}={value!r} is not a number of milliseconds"
            for name, value in (("longer", self.longer), ("shorter", self.shorter))
            if value and milliseconds_ns(value) is None
        ]
        if self.attribute and self.pair() is None:
            told.append(f"attribute={self.attribute!r}: write KEY=VALUE")
        return told

    def any(self) -> bool:
        """Whether anything is filtered."""
        return self != FlowFilters()


def filters_of(values: Mapping[str, Sequence[str]]) -> FlowFilters:
    """The filters an address names."""

    def first(name: str) -> str:
        return (values.get(name) or ("",))[0].strip()

    def every(name: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(values.get(name) or ()))

    return FlowFilters(
        outcome=every("outcome"),
        verdict=every("verdict"),
        problem=every("problem"),
        limitation=every("with"),
        incident=every("incident"),
        kind=every("kind"),
        text=first("text"),
        attribute=first("attribute"),
        longer=first("longer"),
        shorter=first("shorter"),
        shape=first("shape"),
        caller=first("caller"),
        callee=first("callee"),
        how=first("how"),
    )


def milliseconds_ns(text: str) -> int | None:
    """Nanoseconds of `12.5` ms; None when that is no such number."""
    whole, _, part = text.strip().partition(".")
    if not (whole + part).isascii() or not (whole + part).isdigit() or len(whole + part) > 15:
        return None
    return int(whole or "0") * 1_000_000 + int((part + "000000")[:6])


def matching(
    flows: pl.DataFrame,
    filters: FlowFilters,
    incidents: Sequence[Incident],
    members: Sequence[Collection[str]] = (),
) -> pl.DataFrame:
    """Flows that fit all filters, in their order.

    `members` are the ids that the store found for the attribute, the shape and the call.
    """
    lists = (("outcome", filters.outcome), ("verdict", filters.verdict), ("name", filters.kind))
    wanted = [pl.col(name).is_in(list(values)) for name, values in lists if values]
    if filters.problem:
        wanted.append(_any_of("problems", filters.problem))
    wanted += [LIMITATIONS.get(word, _nothing)() for word in filters.limitation]
    if filters.incident:
        touched = {
            flow_id
            for incident in incidents
            if incident.incident_id in filters.incident
            for flow_id in incident.flow_ids
        }
        wanted.append(pl.col("flow_id").is_in(sorted(touched)))
    wanted += [pl.col("flow_id").is_in(sorted(ids)) for ids in members]
    wanted += _durations(filters)
    words = filters.text.strip().lower()
    if words:
        within = pl.concat_str("flow_id", pl.lit("\n"), "name").str.to_lowercase()
        wanted.append(within.str.contains(words, literal=True))
    if filters.faults():
        wanted.append(_nothing())
    return flows.filter(pl.all_horizontal(wanted)) if wanted else flows


def _durations(filters: FlowFilters) -> list[pl.Expr]:
    longer_ns, shorter_ns = milliseconds_ns(filters.longer), milliseconds_ns(filters.shorter)
    wanted = [] if longer_ns is None else [pl.col("duration_ns") >= longer_ns]
    return wanted if shorter_ns is None else [*wanted, pl.col("duration_ns") < shorter_ns]


def _nothing() -> pl.Expr:
    """An unknown word in an address finds nothing rather than everything."""
    return pl.lit(False)


def _any_of(column: str, values: Sequence[str]) -> pl.Expr:
    return pl.any_horizontal([pl.col(column).list.contains(value) for value in values])
