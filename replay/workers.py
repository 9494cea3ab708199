"""The same replays on several processes: a kind's fold is one piece of work."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context

from replay.engine import Folds, fold_of, kinds_wanted, replay_recording
from replay.recording import Recording, recording_of
from replay.scenario import Scenario
from replay.settings import ReplaySettings
from store.conclusions import Flow, ReplayResult

# Fewer flows are replayed before a process has started.
FLOWS_PER_PROCESS_MIN = 100
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """Recordings of one fold, with all of their kind, and of the version a scenario names."""

    recordings: Sequence[Recording]
    kind: Sequence[Recording]
    successor: Sequence[Recording] | None
    scenario: Scenario | None
    settings: ReplaySettings


def replay_with_workers(
    flows: Sequence[Flow],
    flow_ids: Sequence[str],
    *,
    workers: int,
    scenario: Scenario | None = None,
    settings: ReplaySettings,
    progress: Progress | None = None,
) -> list[ReplayResult]:
    """Replay the named flows, as `replay_flows` does and with the same results, on `workers`
    processes at most."""
    by_id, pieces = _pieces(flows, flow_ids, scenario, settings)
    useful = min(workers, len(pieces), 1 + len(flow_ids) // FLOWS_PER_PROCESS_MIN)
    results: dict[str, ReplayResult] = {}
    for made in _made(pieces, useful):
        results.update((result.flow_id, result) for result in made)
        if progress is not None:
            progress(len(results), len(by_id))
    return [results[flow_id] for flow_id in flow_ids]


def _made(pieces: Sequence[_Piece], workers: int) -> Iterator[list[ReplayResult]]:
    if workers < 2:
        yield from map(_work, pieces)
        return
    # Spawned, not forked: a fork would share the threads and locks of the database library.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(_work, piece) for piece in pieces]
        for done in as_completed(waiting):
            yield done.result()


def _work(piece: _Piece) -> list[ReplayResult]:
    kind = Folds(piece.kind, piece.settings)
    successor = None if piece.successor is None else Folds(piece.successor, piece.settings)
    return [
        replay_recording(
            recording,
            kind,
            scenario=piece.scenario,
            settings=piece.settings,
            successor=successor,
        )
        for recording in piece.recordings
    ]


def _pieces(
    flows: Sequence[Flow],
    flow_ids: Sequence[str],
    scenario: Scenario | None,
    settings: ReplaySettings,
) -> tuple[Mapping[str, Flow], list[_Piece]]:
    wanted = set(flow_ids)
    kinds = kinds_wanted(flows, flow_ids, scenario)
    recordings: dict[tuple[str, str], list[Recording]] = {}
    for flow in flows:
        if (flow.name, flow.version) in kinds:
            recordings.setdefault((flow.name, flow.version), []).append(recording_of(flow))
    pieces = []
    for (name, _), kind in sorted(recordings.items()):
        other = None
        if scenario is not None and scenario.version is not None:
            other = recordings.get((name, scenario.version))
        folds: dict[int, list[Recording]] = {}
        for recording in kind:
            if recording.flow_id in wanted:
                folds.setdefault(fold_of(recording.flow_id, settings.folds), []).append(recording)
        pieces += [
            _Piece(
                recordings=mine,
                kind=kind,
                successor=other,
                scenario=scenario,
                settings=settings,
            )
            for _, mine in sorted(folds.items())
        ]
    return {flow_id: flow for flow in flows if (flow_id := flow.flow_id) in wanted}, pieces
