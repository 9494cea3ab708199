"""Which flows a reader asked for: pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowFilters:
    """Values of one filter widen each other, filters narrow each other; empty means any."""

    outcome: Sequence[str] = ()
    verdict: Sequence[str] = ()
    problem: Sequence[str] = ()
    limitation: Sequence[str] = ()
    incident: Sequence[str] = ()
    text: str = ""

    def as_options(self) -> list[str]:
        """Options of `retrospan flows list`, which takes one outcome."""
        options = ["--outcome", self.outcome[0]] if len(self.outcome) == 1 else []
        return [*options, "--json"]

    def beyond_options(self) -> bool:
        """Whether the command lists more flows than the page."""
        many = len(self.outcome) > 1 or bool(self.text.strip())
        return many or any((self.verdict, self.problem, self.limitation, self.incident))


def matching(
    flows: pl.DataFrame, filters: FlowFilters, incidents: Sequence[Incident]
) -> pl.DataFrame:
    """Flows that fit all filters, in their order."""
    wanted = [pl.col(name).is_in(list(values)) for name, values in _lists(filters) if values]
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
    words = filters.text.strip().lower()
    if words:
        within = pl.concat_str("flow_id", pl.lit("\n"), "name").str.to_lowercase()
        wanted.append(within.str.contains(words, literal=True))
    return flows.filter(pl.all_horizontal(wanted)) if wanted else flows


def _lists(filters: FlowFilters) -> tuple[tuple[str, Sequence[str]], ...]:
    return ("outcome", filters.outcome), ("verdict", filters.verdict)


def _nothing() -> pl.Expr:
    """An unknown word in an address finds nothing rather than everything."""
    return pl.lit(False)


def _any_of(column: str, values: Sequence[str]) -> pl.Expr:
    return pl.any_horizontal([pl.col(column).list.contains(value) for value in values])
