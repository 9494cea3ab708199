"""A file of recordings with their programs, replayed elsewhere to the same digests.

JSON lines: a header, the programs, the recordings, and the SHA-256 of all lines before the last.
The lines are canonical, so the same recordings give the same bytes; `schemas/` describes them. A
bundle holds what the store holds: secrets redacted when they were loaded stay tokens, which
compare equal where the secrets were equal.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from replay import recording as recording_format
from replay.engine import Folds, replay_recording, replay_with
from replay.infer import program as program_format
from replay.infer.program import Program
from replay.interpret import Machine
from replay.judge import unreplayable
from replay.provenance import provenance_of
from replay.recording import Recording
from replay.scenario import Scenario
from replay.settings import ReplaySettings
from store.conclusions import ReplayResult
from store.errors import DataError, NotFoundError

FORMAT = "retrospan.recordings/1"
FILE_BYTES_MAX = 1 << 30
LINE_BYTES_MAX = 1 << 26
LINES_MAX = 200_000
ERRORS_SHOWN_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """One recording in a bundle.

    `program` is the digest of its program, "" where none could be made; `reason` then says why.
    `verdict` and `digest` are those of the control replay where the bundle was written.
    """

    recording: Recording
    program: str
    reason: str
    verdict: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedProgram:
    """A program in a bundle; its kind had `recordings` usable recordings."""

    program: Program
    recordings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Recordings, and their programs by digest."""

    recordings: Sequence[Carried]
    programs: Mapping[str, CarriedProgram]


def bundle_of(
    wanted: Sequence[Recording], kinds: Mapping[tuple[str, str], Folds], settings: ReplaySettings
) -> Bundle:
    """Pack recordings with the programs that never saw them, and their control replays."""
    recordings = []
    programs: dict[str, CarriedProgram] = {}
    for recording in wanted:
        kind = kinds[recording.name, recording.version]
        control = replay_recording(recording, kind, settings=settings)
        if control.program_digest:
            machine, digest = kind.machine_for(recording.flow_id)
            programs[digest] = CarriedProgram(program=machine.program, recordings=len(kind.usable))
        recordings.append(
            Carried(
                recording=recording,
                program=control.program_digest,
                reason=control.reason,
                verdict=control.verdict,
                digest=control.digest,
            )
        )
    return Bundle(recordings=recordings, programs=programs)


def replay_bundle(
    bundle: Bundle,
    flow_ids: Sequence[str],
    *,
    scenario: Scenario | None = None,
    settings: ReplaySettings,
) -> list[tuple[Carried, ReplayResult]]:
    """Replay recordings of a bundle, all when none is named, with the programs they came with."""
    by_id = {item.recording.flow_id: item for item in bundle.recordings}
    for flow_id in flow_ids:
        if flow_id not in by_id:
            known = ", ".join(sorted(by_id)[:5])
            raise NotFoundError(f"the file holds no flow {flow_id!r}; it begins with {known}")
    machines: dict[str, Machine] = {}
    replays = []
    for item in [by_id[i] for i in flow_ids] if flow_ids else bundle.recordings:
        if not item.program:
            name = None if scenario is None else scenario.name
            replays.append((item, unreplayable(item.recording.flow_id, item.reason, name)))
            continue
        try:
            if item.program not in machines:
                machines[item.program] = Machine(bundle.programs[item.program].program)
            result = replay_with(
                item.recording,
                machines[item.program],
                recordings=bundle.programs[item.program].recordings,
                scenario=scenario,
                settings=settings,
            )
        except (TypeError, LookupError, AttributeError, ValueError, ArithmeticError) as error:
            raise DataError(
                f"flow {item.recording.flow_id}: its program does not run: {error!r}"
            ) from None
        replays.append((item, result))
    return replays


def lines_of(bundle: Bundle) -> Iterator[str]:
    """Write a bundle, line by line, without line ends."""
    check = hashlib.sha256()
    for document in _documents(bundle):
        text = json.dumps(document, sort_keys=True, separators=(",", ":"))
        check.update(f"{text}\n".encode())
        yield text
    yield json.dumps({"sha256": check.hexdigest()}, separators=(",", ":"))


def _documents(bundle: Bundle) -> Iterator[dict[str, Any]]:
    yield {
        "format": FORMAT,
        "programs": len(bundle.programs),
        "recordings": len(bundle.recordings),
    }
    for digest, carried in sorted(bundle.programs.items()):
        yield {
            "program": digest,
            "kind_recordings": carried.recordings,
            "document": json.loads(program_format.to_json(carried.program)),
            "provenance": [asdict(origin) for origin in provenance_of(carried.program)],
        }
    for item in sorted(bundle.recordings, key=lambda one: one.recording.flow_id):
        yield {
            "recording": json.loads(recording_format.to_json(item.recording)),
            "program": item.program,
            "reason": item.reason,
            "control": {"verdict": item.verdict, "digest": item.digest},
        }


def load_bundle(path: Path) -> Bundle:
    """Read a bundle; what is cut short, changed, too large or of another version is refused."""
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise DataError(f"{path}: a file of recordings has at most {FILE_BYTES_MAX} bytes")
        with path.open("rb") as stream:
            return _read(str(path), _checked(str(path), stream))
    except OSError as error:
        raise DataError(f"{path}: the recordings cannot be read: {error}") from None


def _checked(source: str, stream: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give the numbered documents of all lines but the last, which must prove the others."""
    check = hashlib.sha256()
    proven = False
    number = 0
    while raw := stream.readline(LINE_BYTES_MAX + 1):
        number += 1
        if len(raw) > LINE_BYTES_MAX or number > LINES_MAX:
            raise DataError(
                f"{source}, line {number}: at most {LINES_MAX} lines of {LINE_BYTES_MAX} bytes"
            )
        if proven:
            raise DataError(f"{source}, line {number}: nothing may follow the line with the sum")
        document = _document(source, number, raw)
        if number == 1 and document.get("format") != FORMAT:
            raise DataError(
                f"{source}: format is {document.get('format')!r}; "
                f"this version reads {FORMAT!r} only"
            )
        if "sha256" in document:
            if document["sha256"] != check.hexdigest():
                raise DataError(f"{source}: the content does not have the sum it states")
            proven = True
            continue
        problems = list(_validator().iter_errors(document))[:ERRORS_SHOWN_MAX]
        if problems:
            told = "; ".join(problem.message[:200] for problem in problems)
            raise DataError(f"{source}, line {number}: {told}")
        check.update(raw)
        yield number, document
    if not proven:
        raise DataError(f"{source}: the last line, with the sum, is missing; the file was cut")


def _document(source: str, number: int, raw: bytes) -> dict[str, Any]:
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{source}, line {number}: this is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise DataError(f"{source}, line {number}: a line holds one object")
    return document


def _read(source: str, documents: Iterator[tuple[int, dict[str, Any]]]) -> Bundle:
    programs: dict[str, CarriedProgram] = {}
    recordings: list[Carried] = []
    stated: dict[str, Any] = {}
    for number, document in documents:
        try:
            if "format" in document:
                stated = document
            elif "document" in document:
                digest, program = _program(document)
                programs[digest] = program
            else:
                recordings.append(_carried(document, programs))
        except (DataError, RecursionError) as error:
            raise DataError(f"{source}, line {number}: {error}") from None
    counts = {"programs": len(programs), "recordings": len(recordings)}
    if any(stated.get(name) != count for name, count in counts.items()):
        raise DataError(f"{source}: the header states other counts than {counts}")
    return Bundle(recordings=recordings, programs=programs)


def _program(document: Mapping[str, Any]) -> tuple[str, CarriedProgram]:
    program = program_format.from_json(json.dumps(document["document"]))
    digest: str = document["program"]
    if program.digest != digest:
        raise DataError(f"the program has the digest {program.digest}, not {digest}")
    return digest, CarriedProgram(program=program, recordings=document["kind_recordings"])


def _carried(document: Mapping[str, Any], programs: Mapping[str, CarriedProgram]) -> Carried:
    recording = recording_format.from_json(json.dumps(document["recording"]))
    digest: str = document["program"]
    if digest and digest not in programs:
        raise DataError(f"flow {recording.flow_id} names the program {digest}, which is not here")
    return Carried(
        recording=recording,
        program=digest,
        reason=document["reason"],
        verdict=document["control"]["verdict"],
        digest=document["control"]["digest"],
    )


@cache
def _validator() -> Draft202012Validator:
    text = files("replay").joinpath("schemas/recordings.schema.json").read_text("utf-8")
    return Draft202012Validator(json.loads(text))
