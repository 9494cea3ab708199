"""The causes of incidents that others recorded are named, and their decoys are not.

These cases were at hand while the limits were chosen: the test keeps what works working, and cannot
show that other incidents would come out as well.
"""

from analyzer.rootcause.rank import rank
from benchmarks.lib.rootcause import bench, hdx, petshop
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


def test_the_node_that_is_slow_or_fails_is_first_from_metrics_and_a_call_graph_alone() -> None:
    folder = corpora_folder() / "rca" / "amazon-science+petshop-root-cause-analysis"
    first = [
        (truth.sort, bool(names) and names[0] in truth.causes)
        for system, case, truth in petshop.cases(folder)
        for names in [answer(system, case)]
    ]
    assert first.count(("latency", True)) == 10
    assert first.count(("availability", True)) == 10
    assert len(first) == 20


def test_the_service_with_a_bad_rollout_or_a_full_heap_is_first_and_the_rollout_is_blamed() -> None:
    blamed = {}
    for system, case, truth in hdx.cases(corpora_folder() / "rca" / "hyperdxio+hyperdx"):
        assert answer(system, case)[0] in truth.causes
        blamed[truth.name] = [one.name for one in rank(case).candidates if one.kind == "change"]
    assert blamed == {
        "deploy-regression": ["checkout-api 2.0.0-rc1"],
        "metric-saturation": [],  # the deploy came after the leak began
    }
