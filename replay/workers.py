"""The same replays on several processes: first the programs are made, then the flows replayed."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from operator import itemgetter
from typing import TypeVar

from replay.engine import Folds, Programs, fold_of, kinds_wanted, replay_recording
from replay.recording import Recording, recording_of
from replay.scenario import Scenario
from replay.settings import ReplaySettings
from replay.train import Trained, train
from store.conclusions import Flow, ReplayResult

# Fewer flows are replayed before another process has started.
FLOWS_PER_PROCESS_MIN = 100
FLOWS_PER_PIECE_MAX = 500
Progress = Callable[[int, int], None]
Kind = tuple[str, str]
_Made = tuple[Trained, str]
_In = TypeVar("_In")
_Out = TypeVar("_Out")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Training:
    """The recordings from which the program of one fold is made."""

    kind: Kind
    fold: int
    recordings: Sequence[Recording]
    settings: ReplaySettings


@dataclass(frozen=True, slots=True)
class _Program:
    """The program of one fold with its digest, None where there is none, of a kind with so many
    recordings."""

    usable: int
    made: _Made | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """Recordings of one fold with their program, and that of the version a scenario names."""

    recordings: Sequence[Recording]
    fold: int
    program: _Program
    successor: _Program | None
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
    processes at most, of which this is one."""
    wanted = set(flow_ids)
    kinds = kinds_wanted(flows, flow_ids, scenario)
    recordings: dict[Kind, list[Recording]] = {}
    for flow in flows:
        if (flow.name, flow.version) in kinds:
            recordings.setdefault((flow.name, flow.version), []).append(recording_of(flow))
    known = {kind: Folds(made, settings) for kind, made in sorted(recordings.items())}
    mine = [r for made in recordings.values() for r in made if r.flow_id in wanted]
    results: dict[str, ReplayResult] = {}
    others = min(workers, 1 + len(wanted) // FLOWS_PER_PROCESS_MIN) - 1
    # Spawned, not forked: a fork would share the threads and locks of the database library.
    with ProcessPoolExecutor(others, get_context("spawn")) if others else nullcontext() as pool:
        programs: dict[tuple[Kind, int], _Made] = {}
        for made in _shared(pool, others, _train, _trainings(known, mine, scenario, settings)):
            programs.update(made)
        for replayed in _shared(
            pool, others, _replay, _pieces(known, mine, programs, scenario, settings)
        ):
            results.update((result.flow_id, result) for result in replayed)
            if progress is not None:
                progress(len(results), len(wanted))
    return [results[flow_id] for flow_id in flow_ids]


def _shared(
    pool: ProcessPoolExecutor | None,
    others: int,
    work: Callable[[_In], _Out],
    pieces: Iterator[_In],
) -> Iterator[_Out]:
    """Give the results of all pieces in any order; this process works too."""
    waiting: set[Future[_Out]] = set()
    while True:
        if pool is not None:
            # One more than there are processes, so that none waits for this one.
            ahead = islice(pieces, others + 1 - len(waiting))
            waiting.update([pool.submit(work, piece) for piece in ahead])
        mine = next(pieces, None)
        if mine is not None:
            yield work(mine)
        elif not waiting:
            return
        done, waiting = wait(waiting, None if mine is None else 0, FIRST_COMPLETED)
        for one in done:
            yield one.result()


def _trainings(
    known: Mapping[Kind, Folds],
    mine: Iterable[Recording],
    scenario: Scenario | None,
    settings: ReplaySettings,
) -> Iterator[_Training]:
    """Give what has to be learned: each fold that a flow to replay falls into."""
    needed: set[tuple[Kind, int]] = set()
    for recording in mine:
        fold = fold_of(recording.flow_id, settings.folds)
        for version in {recording.version, _successor(recording, scenario)}:
            kind = (recording.name, version)
            if not recording.unusable and kind in known and not known[kind].refusal():
                needed.add((kind, fold))
    for kind, fold in sorted(needed):
        yield _Training(
            kind=kind, fold=fold, recordings=known[kind].training(fold), settings=settings
        )


def _train(piece: _Training) -> dict[tuple[Kind, int], _Made]:
    trained = train(piece.recordings, piece.settings)
    return {(piece.kind, piece.fold): (trained, trained.program.digest)}


def _pieces(
    known: Mapping[Kind, Folds],
    mine: Iterable[Recording],
    programs: Mapping[tuple[Kind, int], _Made],
    scenario: Scenario | None,
    settings: ReplaySettings,
) -> Iterator[_Piece]:
    """Give the flows to replay by kind and fold, each with the programs it needs."""
    folds: dict[tuple[Kind, int], list[Recording]] = {}
    for recording in mine:
        fold = fold_of(recording.flow_id, settings.folds)
        folds.setdefault(((recording.name, recording.version), fold), []).append(recording)
    for (kind, fold), recordings in sorted(folds.items(), key=itemgetter(0)):
        other = (kind[0], _successor(recordings[0], scenario))
        for first in range(0, len(recordings), FLOWS_PER_PIECE_MAX):
            yield _Piece(
                recordings=recordings[first : first + FLOWS_PER_PIECE_MAX],
                fold=fold,
                program=_Program(known[kind].count, programs.get((kind, fold))),
                successor=_Program(known[other].count, programs.get((other, fold)))
                if scenario is not None and scenario.version is not None and other in known
                else None,
                scenario=scenario,
                settings=settings,
            )


def _successor(recording: Recording, scenario: Scenario | None) -> str:
    """Name the version whose program runs in the end."""
    if scenario is None or scenario.version is None:
        return recording.version
    return scenario.version


def _replay(piece: _Piece) -> list[ReplayResult]:
    kind = _programs(piece.program, piece)
    successor = None if piece.successor is None else _programs(piece.successor, piece)
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


def _programs(known: _Program, piece: _Piece) -> Programs:
    programs = Programs(known.usable, piece.settings)
    if known.made is not None:
        programs.keep(piece.fold, *known.made)
    return programs
