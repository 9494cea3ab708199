"""The ranking on labelled runs of others: better than rules anybody could use, and not by leaks."""

from pathlib import Path

import pytest

from analyzer.agents.decisive import WEIGHTS, rank
from benchmarks.agents import LEARNED_FROM, TAU_BENCH, WHO_AND_WHEN, Score, ranked
from benchmarks.lib.agents import Labelled, first_answer, labelled, learn, served
from tests.third_party import corpora_folder

pytestmark = pytest.mark.corpora


@pytest.fixture(scope="module")
def cases() -> list[Labelled]:
    folder: Path = corpora_folder() / "agents" / WHO_AND_WHEN / LEARNED_FROM
    return list(labelled(folder))


def test_the_shipped_weights_are_what_these_runs_teach(cases: list[Labelled]) -> None:
    assert len(cases) == 63
    assert learn(cases) == WEIGHTS


def test_on_runs_not_learned_from_it_beats_naming_the_first_answer(cases: list[Labelled]) -> None:
    always, abstaining, rule = Score(), Score(), Score()
    for case, ranking in ranked(cases, cross=True):
        always.add(case, ranking.candidates[0].turn, ranking.agents[0][0])
        abstaining.add(case, ranking.step, ranking.agent)
        rule.add(case, first_answer(case.run), first_answer(case.run).agent)
    assert always.asked == 63
    assert always.right_steps > rule.right_steps
    assert always.right_agents > rule.right_agents
    # Where it names a step it is right more often than where it has to.
    assert abstaining.right_steps / abstaining.steps > always.right_steps / always.asked
    assert 0 < abstaining.steps < 63


def test_a_fold_is_ranked_by_weights_that_its_own_labels_cannot_move(
    cases: list[Labelled],
) -> None:
    from dataclasses import replace

    held = cases[0].fold
    changed = [replace(it, place=0) if it.fold == held else it for it in cases]
    before = {case.name: found for case, found in ranked(cases, cross=True) if case.fold == held}
    after = {case.name: found for case, found in ranked(changed, cross=True) if case.fold == held}
    assert before == after


def test_of_failed_runs_the_wrong_action_is_found_by_those_that_succeeded() -> None:
    (path,) = (corpora_folder() / "agents" / TAU_BENCH).glob("*.json.gz")
    runs = served(path)
    assert len(runs) == 200
    found = wrong = 0
    for it in runs:
        peers = [one.run for one in runs if one.reward == 1 and one.run.task == it.run.task]
        if it.reward or it.wrong is None or not peers:
            continue
        wrong += 1
        found += rank(it.run, peers).step is it.wrong
    assert wrong == 35
    assert found * 100 >= wrong * 80
