"""Whether equal questions get equal answers: groups of equal input, model, prompt, policy, params.

Groups of one do not count. An input that names
its case, as by an id, equals no other: such decisions are groups of one.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from fractions import Fraction
from math import fsum, log2

from analyzer.oversight.joined import Joined
from analyzer.oversight.measure import Case, Measure, Metric, share
from store.decision_leaf import canonical

NAME = "determinism"
TOLD_MAX = 20


def question_of(it: Joined) -> bytes | None:
    """What was asked, in one spelling; None where neither the input nor its hash is recorded."""
    record = it.decision.record
    given = record.get("input") if record.get("input") is not None else record.get("input_sha256")
    return None if given is None else canonical(given)


def _key(it: Joined) -> bytes | None:
    record = it.decision.record
    given = question_of(it)
    if given is None:
        return None
    model = record.get("model")
    params = model.get("parameters") if isinstance(model, dict) else None
    prompt = record.get("prompt")
    return canonical(
        [given.hex(), it.decision.model_name, it.decision.model_version, params, prompt,
         it.decision.policy_id, it.decision.policy_version]
    )  # fmt: skip


def _measure(case: Case) -> Sequence[Measure]:
    groups: defaultdict[bytes, list[Joined]] = defaultdict(list)
    unknown = 0
    for it in case.decisions:
        key = _key(it)
        if key is None:
            unknown += 1
        else:
            groups[key].append(it)
    several = [among for among in groups.values() if len(among) > 1]
    same = sum(len({it.decision.chosen for it in among}) == 1 for among in several)
    mixed = [among for among in several if len({it.decision.chosen for it in among}) > 1]
    entropies = [_entropy([it.decision.chosen for it in among]) for among in several]
    return [
        share(
            NAME, same, len(several), note="groups of equal questions with one answer; "
            f"{unknown} decisions without an input are in none",
            detail={
                "decisions": sum(map(len, several)),
                "without_input": unknown,
                "mean_entropy_bits": fsum(entropies) / len(several) if several else None,
                "examples": [
                    [it.decision.decision_id for it in among[:2]] for among in mixed[:TOLD_MAX]
                ],
            },
        )
    ]  # fmt: skip


def _entropy(chosen: Sequence[str]) -> float:
    shares = [float(Fraction(n, len(chosen))) for _, n in sorted(Counter(chosen).items())]
    return -fsum(it * log2(it) for it in shares) + 0.0


METRIC = Metric(name=NAME, title="equal questions that get one answer", measure=_measure)
