"""Replaying stored flows and keeping the results, as the command and the demo do both."""

from collections.abc import Callable, Sequence
from pathlib import Path

from retrospan import telemetry
from retrospan.edge import Edge
from store.conclusions import Flow, ReplayResult
from store.errors import NotFoundError

Show = Callable[[str], None]


@telemetry.phase("replay")
def replayed(
    edge: Edge, flow_ids: Sequence[str] | None, scenario: Path | None, show: Show
) -> list[ReplayResult]:
    """Results of the named flows, or of all, in the order asked for; they are stored too.

    Under a scenario the verdict of each flow's unchanged control is in its result.
    """
    from replay.engine import replay_flows
    from replay.scenario import load_scenario
    from replay.settings import ReplaySettings

    settings = edge.settings().fill("replay", ReplaySettings)
    what_if = None if scenario is None else load_scenario(scenario)
    flows = _flows(edge, flow_ids)
    wanted = [flow.flow_id for flow in flows] if flow_ids is None else list(dict.fromkeys(flow_ids))
    results = replay_flows(
        flows,
        wanted,
        scenario=what_if,
        settings=settings,
        progress=lambda done, whole: show(f"replayed {done} of {whole}"),
    )
    show("")
    return kept(edge, results)


class Replayer:
    """Replays of one store with several scenarios: programs are made once for all of them."""

    def __init__(self, edge: Edge) -> None:
        from replay.engine import Folds
        from replay.recording import Recording, recording_of
        from replay.settings import ReplaySettings

        self.edge = edge
        self.settings = edge.settings().fill("replay", ReplaySettings)
        self.recordings = {flow.flow_id: recording_of(flow) for flow in _flows(edge, None)}
        by_kind: dict[tuple[str, str], list[Recording]] = {}
        for recording in self.recordings.values():
            by_kind.setdefault((recording.name, recording.version), []).append(recording)
        self.programs = {
            kind: Folds(recordings, self.settings) for kind, recordings in by_kind.items()
        }

    @telemetry.phase("replay")
    def run(self, flow_ids: Sequence[str], scenario: Path | None, show: Show) -> list[ReplayResult]:
        """Results in the order asked for; they are stored too."""
        from replay.engine import replay_recording
        from replay.scenario import load_scenario

        what_if = None if scenario is None else load_scenario(scenario)
        results = []
        for done, flow_id in enumerate(flow_ids, 1):
            recording = self.recordings[flow_id]
            programs = self.programs[recording.name, recording.version]
            results.append(
                replay_recording(recording, programs, scenario=what_if, settings=self.settings)
            )
            show(f"replayed {done} of {len(flow_ids)}")
        show("")
        return kept(self.edge, results)


def _flows(edge: Edge, flow_ids: Sequence[str] | None) -> list[Flow]:
    """Every flow of the store: all serve as recordings of their kinds."""
    from store import read

    with edge.reading("reading flows to replay") as session:
        for flow_id in flow_ids or ():
            read.read_flow(session, flow_id)
        flows = read.read_flows(session)
    if not flows:
        raise NotFoundError("the store holds no flow; load data with: retrospan ingest PATH")
    return flows


def kept(edge: Edge, results: Sequence[ReplayResult]) -> list[ReplayResult]:
    """Store results; those of flows whose spans name lines of code come back with them."""
    from replay.lines import with_lines
    from store import write

    with edge.lease("storing replays") as session:
        named = with_lines(session, results)
        write.write_replays(session, named)
    return named
