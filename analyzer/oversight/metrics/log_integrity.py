"""Whether the decision log is what it was, and how far back it goes."""

from collections.abc import Sequence

from analyzer.oversight.measure import Case, Measure, Metric, nothing
from analyzer.oversight.settings import DAY_NS

NAME = "log_integrity"


def _measure(case: Case) -> Sequence[Measure]:
    found: list[Measure] = []
    log = case.log
    if log is None or not log.tree_size:
        found.append(nothing(NAME, "share", "no decision log"))
    else:
        producer = log.producer
        gaps = sum(last - first + 1 for first, last in producer.gaps)
        whole = max(0, log.tree_size - log.fault_count) / log.tree_size
        found.append(
            Measure(
                metric=NAME,
                unit="share",
                n=log.tree_size,
                value=whole,
                low=whole,
                high=whole,
                counted=True,
                note="all looked at, so exact: leaves that are as they were written; a cut tail or "
                "a log written anew shows only against a signed head (decisions verify --head)",
                detail={
                    "root_hash": log.root_hash.hex(),
                    "purged": log.purged,
                    "missing_seq": gaps if producer.numbered and not log.purged else None,
                    "out_of_order": producer.out_of_order,
                },
            )
        )
    times = [it.decision.time_ns for it in case.decisions if it.dated]
    undated = len(case.decisions) - len(times)
    if not times:
        return [*found, nothing("retention", "ns", "no decision with a time", unknown=undated)]
    age = case.data_end_ns - min(times)
    need = case.settings.retention_days_min
    said = f"older than the {need} days asked for"
    if age < need * DAY_NS:
        said = f"the data is younger than the {need} days asked for, so it cannot show them"
    note = f"from the oldest decision to the end of the data; {said}"
    return [
        *found,
        Measure(
            metric="retention",
            unit="ns",
            value=float(age),
            low=float(age),
            high=None if undated else float(age),
            counted=True,
            n=len(times),
            unknown=undated,
            note=note,
        ),
    ]


METRIC = Metric(name=NAME, title="the log as it was written, and how far back", measure=_measure)
