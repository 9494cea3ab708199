"""How many decisions can be followed from input to effect, and at which hop the others break."""

from collections.abc import Sequence

from analyzer.oversight.measure import Case, Measure, Metric, mean, nothing, share
from analyzer.oversight.provenance import HOPS, Link, depth, provenance

NAME = "provenance_coverage"


def _measure(case: Case) -> Sequence[Measure]:
    chains = [provenance(it) for it in case.decisions]
    if not chains:
        return [nothing(NAME, "share", "no decision")]
    whole = sum(all(hop.link is not Link.BROKEN for hop in chain) for chain in chains)
    found = [
        share(
            NAME, whole, len(chains), note="every hop that applies leads on",
            detail={"mean_depth": round(mean([float(depth(chain)) for chain in chains]), 6)},
        )
    ]  # fmt: skip
    for place, name in enumerate(HOPS):
        links = [chain[place].link for chain in chains]
        apply = [link for link in links if link is not Link.NOT_APPLICABLE]
        found.append(
            share(
                f"{NAME}.{name}",
                apply.count(Link.RESOLVED),
                len(apply),
                note="of those that can have this hop, it names one thing",
            )
        )
    return found


METRIC = Metric(
    name=NAME, title="decisions that can be followed from input to effect", measure=_measure
)
