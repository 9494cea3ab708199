"""The causes of incidents that others recorded are named, and their decoys are not.

These cases were at hand while the limits were chosen: the test keeps what works working, and cannot
show that other incidents would come out as well.
"""

from benchmarks.lib.rootcause import bench, petshop
from benchmarks.rootcause import answer
from tests.third_party import corpora_folder


def test_commits_that_broke_something_are_blamed_and_hardly_a_decoy() -> None:
    right = decoys = 0
    for system, case, truth in bench.cases(corpora_folder() / "rca" / "edgedelta+root-cause-bench"):
        names = answer(system, case)
        right += names[0] in truth.causes if names else not truth.causes
        decoys += bool(names) and names[0] in truth.decoys
    assert right >= 6
    assert decoys <= 1


def test_the_slow_node_of_a_call_graph_is_first_from_metrics_alone() -> None:
    folder = corpora_folder() / "rca" / "amazon-science+petshop-root-cause-analysis"
    first = [
        bool(names) and names[0] in truth.causes
        for system, case, truth in petshop.cases(folder)
        if truth.sort == "latency"
        for names in [answer(system, case)]
    ]
    assert first.count(True) == len(first) == 10
