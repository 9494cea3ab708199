"""What the store holds of exchanges, asked in a few bounded questions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from analyzer.contracts.drift import Drifted, Window, drifted
from analyzer.contracts.verify import Observed
from analyzer.conventions import BODY_CHARACTERS_MAX
from store.lease import Session
from store.query import ask

HERE: Final = Path(__file__).resolve().parent
GROUPS_MAX: Final = 100_000
BODY_ROWS_MAX: Final = 20_000
FIELDS_MAX: Final = 200_000


def observe(
    session: Session, services: Sequence[str], window: Window, bodies_per_shape_max: int
) -> Observed:
    """Exchanges of all services, bodies of those named, in a window of time."""
    between = {"since_ns": window.since_ns, "until_ns": window.until_ns}
    exchanges = ask(session, HERE / "exchanges.sql", {**between, "groups_max": GROUPS_MAX})
    bodies = ask(
        session,
        HERE / "bodies.sql",
        {
            **between,
            "services": sorted(services),
            "per_shape": bodies_per_shape_max,
            "rows_max": BODY_ROWS_MAX,
            "characters_max": BODY_CHARACTERS_MAX,
        },
    )
    sampled = ask(session, HERE / "sampled.sql", between)
    left_out = 0
    if exchanges.height:
        left_out = int(exchanges["n_all"][0]) - int(exchanges["n"].sum())
    return Observed(
        exchanges=exchanges,
        bodies=bodies,
        sampled={row["service"]: row["sampled"] for row in sampled.iter_rows(named=True)},
        left_out=left_out,
    )


def observe_drift(session: Session, before: Window, after: Window, n_min: int) -> list[Drifted]:
    """What changed in the shapes of bodies and attributes from one window to another."""
    windows = {
        "since_a": before.since_ns,
        "until_a": before.until_ns,
        "since_b": after.since_ns,
        "until_b": after.until_ns,
    }
    bodies = ask(
        session,
        HERE / "body_shapes.sql",
        {**windows, "characters_max": BODY_CHARACTERS_MAX, "rows_max": FIELDS_MAX},
    )
    attributes = ask(session, HERE / "attribute_types.sql", {**windows, "rows_max": FIELDS_MAX})
    return drifted(bodies, attributes, n_min)
