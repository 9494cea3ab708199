"""All metrics over all decisions, or over each slice of them."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import analyzer.oversight.metrics
from analyzer.discovery import discover, no_twins
from analyzer.oversight.joined import Joined
from analyzer.oversight.measure import Case, Measure, Metric
from analyzer.oversight.metrics.arms import arms_of
from store.errors import UsageError

SLICES_MAX = 20
PRICE_BYTES_MAX = 1_000_000
PRICE_KINDS = frozenset({"input", "output", "cache_read", "cache_write"})


class By(StrEnum):
    """What decisions are told apart by."""

    MODEL = "model"
    POLICY = "policy"
    ARM = "arm"
    FLOW = "flow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sliced:
    """A measure of some decisions; `filter` is empty for all of them."""

    measure: Measure
    filter: Mapping[str, str]


@lru_cache(maxsize=1)
def metrics() -> tuple[Metric, ...]:
    """All metrics, in the order of their files' names."""
    found = discover(analyzer.oversight.metrics, "METRIC", Metric)
    no_twins({place: metric.name for place, metric in found.items()})
    return tuple(found[name] for name in sorted(found))


def measured(case: Case, by: By | None = None) -> list[Sliced]:
    """Every metric of the case, or of each of its slices, the first `SLICES_MAX` by name."""
    if by is None:
        return [
            Sliced(measure=it, filter={}) for metric in metrics() for it in metric.measure(case)
        ]
    return [
        Sliced(measure=it, filter={by.value: name})
        for name, part in _slices(case, by)
        for metric in metrics()
        for it in metric.measure(part)
    ]


def slice_count(case: Case, by: By) -> int:
    """How many slices there are, also beyond those that are measured."""
    return len(_names(case, by))


def _names(case: Case, by: By) -> dict[str, list[Joined]]:
    found: dict[str, list[Joined]] = {}
    for it in case.decisions:
        for name in _belongs(it, by):
            found.setdefault(name, []).append(it)
    return found


def _slices(case: Case, by: By) -> Iterator[tuple[str, Case]]:
    found = _names(case, by)
    for name in sorted(found)[:SLICES_MAX]:
        among = found[name]
        ids = {it.flow.flow_id for it in among if it.flow is not None}
        yield (
            name,
            Case(
                decisions=among,
                flows=[flow for flow in case.flows if flow.flow_id in ids],
                data_end_ns=case.data_end_ns,
                settings=case.settings,
                prices=case.prices,
                policies=case.policies,
            ),
        )


def _belongs(it: Joined, by: By) -> Sequence[str]:
    decision = it.decision
    if by is By.MODEL:
        return [f"{decision.model_name or '?'}@{decision.model_version or '?'}"]
    if by is By.POLICY:
        return [f"{decision.policy_id or '?'}@{decision.policy_version or '?'}"]
    if by is By.FLOW:
        return ["?" if it.flow is None else it.flow.name]
    return [f"{flag}={arm}" for flag, arm in sorted(arms_of(it).items())]


def read_prices(path: Path) -> dict[str, dict[str, Decimal]]:
    """A price table: `version = "…"`, and per model US dollars for a million tokens of each kind.

    Raises UsageError that names the file and what is wrong in it.
    """
    try:
        data = path.read_bytes()
        if len(data) > PRICE_BYTES_MAX:
            raise UsageError(f"{path} has {len(data)} bytes; at most {PRICE_BYTES_MAX} are read")
        document = tomllib.loads(data.decode(), parse_float=Decimal)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}") from None
    if not isinstance(document.get("version"), str):
        raise UsageError(f'{path}: a price table says which one it is: version = "2026-11"')
    found: dict[str, dict[str, Decimal]] = {}
    models = document.get("models", {})
    if not isinstance(models, dict):
        raise UsageError(f'{path}: models must be a table, as in [models."gpt-x"]')
    for model, kinds in models.items():
        if not isinstance(kinds, dict) or set(kinds) - PRICE_KINDS:
            raise UsageError(f"{path}: {model} may have {', '.join(sorted(PRICE_KINDS))}")
        try:
            found[model] = {kind: Decimal(str(price)) for kind, price in kinds.items()}
        except InvalidOperation:
            raise UsageError(f"{path}: a price of {model} is no number") from None
        if any(not price.is_finite() or price < 0 for price in found[model].values()):
            raise UsageError(f"{path}: a price of {model} is below 0 or no number")
    return found
