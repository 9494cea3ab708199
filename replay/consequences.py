"""What follows from what among the differences of a flow: causes first, each with its source."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from store.conclusions import Divergence


@dataclass(frozen=True, slots=True)
class Placed:
    """A divergence with where and when it shows; `excess_ns` is how far out a time is."""

    at_ns: int
    node: str
    divergence: Divergence
    excess_ns: int = 0


def causes_first(placed: Sequence[Placed], before: Mapping[str, frozenset[str]]) -> list[Placed]:
    """Order by time, but nothing before what it depends on: recorded and replayed times differ."""
    left = list(placed)
    counts = Counter(item.node for item in left)
    free = _free(counts, before)
    ordered: list[Placed] = []
    while left:
        at = next((place for place, item in enumerate(left) if item.node in free), 0)
        ordered.append(left.pop(at))
        node = ordered[-1].node
        counts[node] -= 1
        if not counts[node]:
            del counts[node]
            free = _free(counts, before)
    return ordered


def _free(nodes: Collection[str], before: Mapping[str, frozenset[str]]) -> set[str]:
    """Give the nodes that wait for no other one of these."""
    others = set(nodes)
    return {node for node in others if not _waits(node, others, before)}


def _waits(node: str, others: set[str], before: Mapping[str, frozenset[str]]) -> bool:
    if node in before:
        return bool(before[node] & others)
    # Recovery follows from the way forward, the end from everything.
    return any(other != node and (node == "end" or other in before) for other in others)


def traced(
    placed: Sequence[Placed], before: Mapping[str, frozenset[str]], ended: str
) -> list[Divergence]:
    """Name for each divergence what it follows from: the last one before it that it waits for.

    What is undone follows from the step whose answer `ended` the flow, where one did.
    """
    depends = _dependence(before)
    found: list[Divergence] = []
    for index, item in enumerate(placed):
        earlier = [it for it in reversed(placed[:index]) if it.node != "end"]
        undoes = item.node not in before and item.node != "end"
        causes = [it.divergence.step_id for it in earlier if depends(item.node, it.node)]
        source = ended if undoes and ended else causes[0] if causes else ""
        one = item.divergence
        found.append(replace(one, source=source) if source else one)
    return found


def _dependence(before: Mapping[str, frozenset[str]]) -> Callable[[str, str], bool]:
    def depends(node: str, earlier: str) -> bool:
        if node == earlier or node == "end":
            return True
        if node not in before:
            return True  # recovery follows from everything before it
        return earlier in before[node]

    return depends
