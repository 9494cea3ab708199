"""The index over requests finds what looking at every one of them would find."""

from hypothesis import given
from hypothesis import strategies as st

from replay.leaves import Scalar
from replay.likeness import Alike, likeness

PATHS = st.sampled_from(["a", "b", "c.d", "e[0]"])
VALUES: st.SearchStrategy[Scalar] = st.sampled_from([0, 1, 1.0, True, False, None, "x", "y"])
REQUESTS = st.dictionaries(PATHS, VALUES, max_size=4)


@given(
    recorded=st.lists(REQUESTS, max_size=8),
    asked=REQUESTS,
    taken=st.sets(st.integers(0, 7)),
    margin=st.integers(1, 100),
)
def test_the_index_finds_what_a_look_at_every_request_finds(
    recorded: list[dict[str, Scalar]],
    asked: dict[str, Scalar],
    taken: set[int],
    margin: int,
) -> None:
    every = sorted(
        ((likeness(it, asked), n) for n, it in enumerate(recorded) if n not in taken),
        key=lambda item: (-item[0], item[1]),
    )
    near = [item for item in every if every[0][0] - item[0] < margin]
    assert Alike(recorded).nearest(asked, margin, lambda n: n not in taken) == near


def test_likeness_is_the_share_of_leaves_in_common() -> None:
    assert likeness({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4}) == 33
    assert likeness({"a": True}, {"a": 1}) == 0
    assert likeness({}, {}) == 0
