"""Every doubt a replay can have is said in words."""

import ast
from collections.abc import Iterator
from pathlib import Path

import replay
from replay.doubts import WORDS, in_words
from replay.match import RUNGS

FOLDER = Path(replay.__file__).parent
PLACES = [*FOLDER.glob("*.py"), *FOLDER.glob("infer/*.py")]


def raised(tree: ast.AST) -> Iterator[str]:
    """Words in pairs (word, detail), where they are handed to `doubt` or kept as doubts."""
    for node in ast.walk(tree):
        values: list[ast.expr] = []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in ("doubt", "append"):
                values = list(node.args)
        elif isinstance(node, ast.Return | ast.Assign) and node.value is not None:
            values = [node.value]
        for value in values:
            for inner in ast.walk(value):
                if isinstance(inner, ast.Tuple) and len(inner.elts) == 2:
                    word = inner.elts[0]
                    if isinstance(word, ast.Constant) and isinstance(word.value, str):
                        yield word.value


def test_every_doubt_that_code_raises_has_its_words() -> None:
    found = {
        word
        for path in PLACES
        for word in raised(ast.parse(path.read_text("utf-8")))
        if "_" in word and word not in NO_DOUBTS
    }
    found |= {f"{rung}_answer" for rung in ("donor", "missing")} & {f"{r}_answer" for r in RUNGS}
    assert found - WORDS.keys() == set()
    # The one is said of programs, not raised in runs; the other is a single word.
    assert WORDS.keys() - found == {"set_aside", "redelivered"}


NO_DOUBTS = frozenset({"answer_rung_lowered", "timing_changed"})


def test_a_doubt_is_said_with_its_place_and_detail() -> None:
    said = in_words("novel_status gateway-eu POST /charges: 503")
    assert said.startswith("gateway-eu POST /charges was never answered 503:")
    assert in_words("order_tie recovery").startswith("two steps ended too close together")


def test_no_words_break_up_where_reasons_are_taken_apart() -> None:
    """Reasons are joined by semicolons, and counted by the first."""
    assert not [word for word, text in WORDS.items() if ";" in text]


def test_what_is_no_doubt_of_ours_stays_as_it_is() -> None:
    assert in_words("not identified: a timer ran out") == "not identified: a timer ran out"
    assert in_words("novel_failure {x}: {y}").endswith("{y}")
