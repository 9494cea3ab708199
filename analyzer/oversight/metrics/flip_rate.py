"""How often the next revision answers the same question otherwise.

For each input and policy (or model), the revisions that were asked it, in the order in which they
first came into use, are compared one with the next. Under one revision that gave an input two
answers, the comparison is unknown: the difference may be its own. A policy's answer is what its
gate said, a model's what it chose.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise

from analyzer.oversight.joined import Joined
from analyzer.oversight.measure import Case, Measure, Metric, share
from analyzer.oversight.metrics.determinism import question_of

NAME = "flip_rate"
TOLD_MAX = 20
Part = Callable[[Joined], str | None]


def _measure(case: Case) -> Sequence[Measure]:
    return [
        _flips(
            case, "policy", lambda it: it.decision.policy_id,
            lambda it: it.decision.policy_version, lambda it: it.outcome or None,
        ),
        _flips(
            case, "model", lambda it: it.decision.model_name,
            lambda it: it.decision.model_version, lambda it: it.decision.chosen,
        ),
    ]  # fmt: skip


def _flips(case: Case, what: str, name: Part, revision: Part, answer: Part) -> Measure:
    asked: defaultdict[tuple[bytes, str], defaultdict[str, list[Joined]]] = defaultdict(
        lambda: defaultdict(list)
    )
    began: dict[tuple[str, str], int] = {}
    lacking = 0
    for it in case.decisions:
        question, named, version = question_of(it), name(it), revision(it)
        if question is None or named is None or version is None or answer(it) is None:
            lacking += 1
            continue
        asked[question, named][version].append(it)
        began.setdefault((named, version), it.decision.time_ns)
    hits = n = unknown = 0
    examples: list[tuple[str, str]] = []
    for (_, named), by_version in asked.items():
        order = sorted(by_version, key=lambda version: (began[named, version], version))
        for first, second in pairwise(order):
            answers = [{answer(it) for it in by_version[one]} for one in (first, second)]
            if max(map(len, answers)) > 1:
                unknown += 1
                continue
            n += 1
            if answers[0] != answers[1]:
                hits += 1
                pair = [by_version[one][0].decision.decision_id for one in (first, second)]
                examples.append((pair[0], pair[1]))
    return share(
        f"{NAME}.{what}", hits, n, unknown,
        note=f"equal inputs that the next revision of a {what} answered otherwise; {lacking} "
        "decisions lack input, revision or answer",
        detail={"lacking": lacking, "examples": [[*pair] for pair in sorted(examples)[:TOLD_MAX]]},
    )  # fmt: skip


METRIC = Metric(
    name=NAME, title="equal inputs that another revision answered otherwise", measure=_measure
)
