"""What-if runs held against the control runs of the same flows."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from replay.whatif import OR, ends_of
from retrospan.report.doubled import does_once, doubled
from retrospan.report.facts import IncidentFacts
from store.conclusions import ReplayResult, Verdict
from store.errors import NotFoundError

AS_RECORDED = ("identical", "equivalent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One scenario over the window's flows.

    `usable` are the runs that may be counted. `changes` counts (end before, end after);
    `calls_before` and `calls_after` count calls by operation; `fewer` and `more` count flows.
    `violated` are flows with a saga violation, `violated_usable` those that may be counted,
    `violated_fewer` those of them that make fewer calls. `doubled` are flows that surely did a
    thing more than once, `doubled_usable` those that may be counted, `doubled_once` those of them
    that would have done each thing once.
    """

    scenario: str
    runs: Sequence[ReplayResult]
    usable: Sequence[ReplayResult]
    changes: Counter[tuple[str, str]]
    calls_before: Counter[str]
    calls_after: Counter[str]
    fewer: int
    more: int
    violated: int
    violated_usable: int
    violated_fewer: int
    doubled: int
    doubled_usable: int
    doubled_once: int

    @property
    def differing(self) -> int:
        """Flows that end differently."""
        return sum(
            count
            for (before, after), count in self.changes.items()
            if before not in after.split(OR)
        )


def believable(result: ReplayResult) -> bool:
    """Whether a what-if may be counted: its control passed, and the engine makes a claim."""
    return result.control_verdict in AS_RECORDED and result.claim is not None


def names_of(facts: IncidentFacts) -> list[str]:
    """The what-ifs that were run of the window's flows, in order of their names."""
    return sorted({result.scenario or "" for result in facts.replays_inside(facts.what_ifs)})


def without(facts: IncidentFacts, names: Collection[str]) -> IncidentFacts:
    """The facts with some what-ifs left out, which the report then says."""
    known = names_of(facts)
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise NotFoundError(
            f"no what-if {unknown[0]!r} was run of the incident's window; there are: "
            f"{', '.join(map(repr, known)) or 'none'}"
        )
    told = [result for result in facts.what_ifs if result.scenario not in names]
    return replace(facts, what_ifs=told, left_out=sorted(set(names)))


def compared(facts: IncidentFacts) -> list[Compared]:
    """Every scenario that was run, by name."""
    results = facts.replays_inside(facts.what_ifs)
    controls = {result.flow_id: result for result in facts.replays_inside(facts.controls)}
    return [
        _one(facts, name, [one for one in results if one.scenario == name], controls)
        for name in names_of(facts)
    ]


def _one(
    facts: IncidentFacts,
    scenario: str,
    runs: Sequence[ReplayResult],
    controls: dict[str, ReplayResult],
) -> Compared:
    violated = {saga.flow_id for saga in facts.sagas_inside if saga.verdict is Verdict.VIOLATION}
    usable = [run for run in runs if believable(run) and run.flow_id in controls]
    changes: Counter[tuple[str, str]] = Counter()
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    fewer: set[str] = set()
    more: set[str] = set()
    groups = doubled(facts)
    twice = [run for run in usable if run.flow_id in groups]
    for run in usable:
        control = controls[run.flow_id]
        changes[control.outcome, OR.join(ends_of(run))] += 1
        old, new = _calls(control), _calls(run)
        before += old
        after += new
        if new.total() != old.total():
            (fewer if new.total() < old.total() else more).add(run.flow_id)
    return Compared(
        scenario=scenario,
        runs=runs,
        usable=usable,
        changes=changes,
        calls_before=before,
        calls_after=after,
        fewer=len(fewer),
        more=len(more),
        violated=sum(run.flow_id in violated for run in runs),
        violated_usable=sum(run.flow_id in violated for run in usable),
        violated_fewer=len(fewer & violated),
        doubled=sum(run.flow_id in groups for run in runs),
        doubled_usable=len(twice),
        doubled_once=sum(does_once(run, groups[run.flow_id]) for run in twice),
    )


def _calls(result: ReplayResult) -> Counter[str]:
    """Calls of a run by operation, attempts counted one by one."""
    return Counter(str(event.get("op")) for event in result.events if event.get("event") == "call")
