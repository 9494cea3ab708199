"""Every reader under atheris (libFuzzer): no crash, no hang, no unbounded memory.

    pip install atheris
    python scripts/fuzz_readers.py [--seconds 10] [--seeds FOLDER] [READER ...]

Each reader runs for so many seconds of processor time in a process of its own, begun with the
small files below FOLDER that it claims. A finding ends it, is printed and kept in ./fuzz-findings;
then the exit code is 1. Prints how long and how often each reader ran, and what it made of the
inputs. The tests do the same with hypothesis, without looking at which lines an input reaches.
"""

import argparse
import hashlib
import io
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FINDINGS = Path("fuzz-findings")
SEED_BYTES_MAX = 64 * 1024
SEEDS_MAX = 50
INPUT_BYTES_MAX = 16 * 1024
INPUT_SECONDS_MAX = 5  # of processor time: 16 KiB never take as long
HANG_SECONDS = 300  # of the clock, on a machine that does other things too
MEMORY_MB_MAX = 1500
NOTHING_CLAIMED = b"{}"


def fuzz(name: str, seconds: float, arguments: Sequence[str]) -> None:
    """Run one reader for so much processor time, or until libFuzzer ends the process."""
    import atheris  # type: ignore[import-untyped]

    sys.path.insert(0, str(ROOT))
    with atheris.instrument_imports(include=["ingest"]):
        from ingest.limits import Limits
        from ingest.preparation import Preparation
        from ingest.reader import HEAD_BYTES, ColumnReader, Piece, discover
        from ingest.redact import Redactor
    from store.log_table import LogTable
    from store.model import Rejected
    from store.span_table import SpanTable

    reader: Any = discover()[name]
    limits = Limits(document_bytes=1 << 20, line_bytes=1 << 20)
    prepare = Preparation(Redactor(b"a key for fuzzing"))
    seen: Counter[str] = Counter()

    def one(data: bytes) -> None:
        began = time.process_time()
        try:
            checked(data)
            if time.process_time() - began > INPUT_SECONDS_MAX:
                raise AssertionError(f"{time.process_time() - began:.1f} s for one input")
            _tell(seen, seconds)
        except BaseException:
            digest = hashlib.sha256(data).hexdigest()[:16]
            (FINDINGS / f"{name}-{digest}").write_bytes(data)
            raise

    def checked(data: bytes) -> None:
        reader.sniff(data[:HEAD_BYTES])
        found = list(reader.read(io.BytesIO(data), limits))
        for item in found:
            if isinstance(item, Rejected) and not (item.record and item.reason):
                raise AssertionError(f"refused without saying what or why: {item!r}")
            seen["refused" if isinstance(item, Rejected) else "read"] += 1
            prepare.item(item)
        if isinstance(reader, ColumnReader):
            rows = 0
            for part in reader.read_columns(io.BytesIO(data), limits, 1 << 20):
                for one in part.make(prepare) if isinstance(part, Piece) else [part]:
                    rows += len(one) if isinstance(one, SpanTable | LogTable) else 1
            if rows != len(found):
                raise AssertionError(f"{rows} records by columns, {len(found)} one by one")

    atheris.Setup([sys.argv[0], *arguments], one)
    atheris.Fuzz()


def _tell(seen: Counter[str], seconds: float) -> None:
    seen["inputs"] += 1
    spent = time.process_time()
    if seen["inputs"] % 256 == 0 or spent > seconds:
        sys.stderr.write(f"seen {spent:.0f} s {dict(seen)}\n")
        sys.stderr.flush()
    if spent > seconds:
        os._exit(0)  # libFuzzer knows no other end than that of the clock


def seeds(reader: Any, folder: Path | None) -> Iterator[bytes]:
    """Small files that the reader claims."""
    from ingest.reader import HEAD_BYTES

    count = 0
    for path in sorted(folder.rglob("*")) if folder is not None else ():
        if count >= SEEDS_MAX or not path.is_file() or path.stat().st_size > SEED_BYTES_MAX:
            continue
        data = path.read_bytes()
        if reader.sniff(data[:HEAD_BYTES]):
            count += 1
            yield data
    if not count:
        yield NOTHING_CLAIMED


def run(name: str, reader: Any, seconds: int, folder: Path | None) -> tuple[str, bool]:
    """One reader in a child; a line that tells how it went, and whether it is sound."""
    FINDINGS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as corpus:
        for number, data in enumerate(seeds(reader, folder)):
            Path(corpus, str(number)).write_bytes(data)
        command = [
            *(sys.executable, "-P", __file__, "--child", name, str(seconds)),
            *(f"-max_len={INPUT_BYTES_MAX}", f"-timeout={HANG_SECONDS}"),
            *(f"-rss_limit_mb={MEMORY_MB_MAX}", f"-artifact_prefix={FINDINGS}/{name}-", corpus),
        ]
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False
        )
    said = done.stderr + done.stdout
    told = re.findall(r"^seen (.*)$", said, re.MULTILINE)
    line = f"{name:16}{told[-1] if told else 'no 256 inputs'}"
    if done.returncode:
        line += f"\n{said[-3000:]}"
    return line, done.returncode == 0


def main() -> int:
    if sys.argv[1:2] == ["--child"]:
        fuzz(sys.argv[2], float(sys.argv[3]), sys.argv[4:])
        return 0
    sys.path.insert(0, str(ROOT))
    from ingest.reader import discover, named

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("readers", nargs="*", metavar="READER")
    parser.add_argument("--seconds", type=int, default=10, help="for each reader")
    parser.add_argument("--seeds", type=Path, help="a folder with files to begin with")
    given = parser.parse_args()
    known = discover()
    sound = True
    for name in given.readers or sorted(known):
        line, good = run(name, named(name, known), given.seconds, given.seeds)
        print(line, flush=True)
        sound &= good
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
