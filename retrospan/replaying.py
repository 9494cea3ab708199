"""Replaying stored flows and keeping the results, as the command and the demo do both."""

from collections.abc import Callable, Sequence
from pathlib import Path

from retrospan.edge import Edge
from store.conclusions import ReplayResult
from store.errors import NotFoundError


def replayed(
    edge: Edge,
    flow_ids: Sequence[str] | None,
    scenario: Path | None,
    show: Callable[[str], None],
) -> list[ReplayResult]:
    """Results of the named flows, or of all, in the order asked for; they are stored too."""
    from replay.engine import replay_flows
    from replay.scenario import load_scenario
    from replay.settings import ReplaySettings
    from store import read, write

    settings = edge.settings().fill("replay", ReplaySettings)
    what_if = None if scenario is None else load_scenario(scenario)
    with edge.lease("reading flows to replay") as session:
        for flow_id in flow_ids or ():
            read.read_flow(session, flow_id)
        flows = read.read_flows(session)
    wanted = [flow.flow_id for flow in flows] if flow_ids is None else list(dict.fromkeys(flow_ids))
    if not wanted:
        raise NotFoundError("the store holds no flow; load data with: retrospan ingest PATH")
    results = replay_flows(
        flows,
        wanted,
        scenario=what_if,
        settings=settings,
        progress=lambda done, whole: show(f"replayed {done} of {whole}"),
    )
    show("")
    with edge.lease("storing replays") as session:
        write.write_replays(session, results)
    return results
