"""The zip around a bundle: written with the same bytes, read from strangers.

Reading believes nothing: names, counts, sizes, methods and modes are checked before a byte is
unpacked, and what is unpacked is counted while it comes, because a header may lie.
"""

import hashlib
import stat
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from retrospan.bundle.layout import MANIFEST, Limits, is_name
from retrospan.text import visible
from store.errors import DataError

CHUNK_BYTES = 1 << 20
LEVEL = 6
MODE = stat.S_IFREG | 0o600
LONG_AGO = (1980, 1, 1, 0, 0, 0)
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED = 0x1


def pack(output: Path, entries: Mapping[str, Path]) -> str:
    """Write a zip that is there only when it is whole; the SHA-256 of its bytes.

    Entries are sorted and bear no time, so the same content gives the same bytes under one version
    of zlib.
    """
    aside = output.with_name(f"{output.name}.part")
    try:
        with zipfile.ZipFile(aside, "w") as archive:
            for name, path in sorted(entries.items()):
                info = zipfile.ZipInfo(name, LONG_AGO)
                info.compress_type = zipfile.ZIP_DEFLATED
                info.create_system = 3  # else the writing system's number would be in it
                info.external_attr = MODE << 16
                info._compresslevel = LEVEL  # type: ignore[attr-defined]
                info.file_size = path.stat().st_size
                with path.open("rb") as source, archive.open(info, "w") as target:
                    while chunk := source.read(CHUNK_BYTES):
                        target.write(chunk)
        with zipfile.ZipFile(aside) as archive:
            _checked(output, archive, Limits())
        aside.chmod(0o600)
        aside.replace(output)
        return digest_of(output)
    except OSError as error:
        raise DataError(f"{output} cannot be written: {error.strerror or error}") from error
    finally:
        aside.unlink(missing_ok=True)


def digest_of(path: Path) -> str:
    """SHA-256 of a file, as hex."""
    check = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            check.update(chunk)
    return check.hexdigest()


def unpack(source: Path, folder: Path, limits: Limits) -> dict[str, str]:
    """Put the entries into a folder that is new or empty; SHA-256 by name.

    Raises DataError for whatever is no bundle, and leaves no file of it behind.
    """
    made: list[Path] = []
    try:
        if source.stat().st_size > limits.file_bytes_max:
            raise DataError(f"{source}: a bundle has at most {limits.file_bytes_max} bytes")
        _empty(folder)
        with zipfile.ZipFile(source) as archive:
            infos = _checked(source, archive, limits)
            left = limits.total_bytes_max
            found = {}
            for info in infos:
                path = folder / info.filename
                path.parent.mkdir(mode=0o700, exist_ok=True)
                made.append(path)
                found[info.filename], size = _extract(source, archive, info, path, limits, left)
                left -= size
        return found
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        _remove(made)
        raise DataError(f"{source} is no whole zip: {error}") from error
    except (OSError, ValueError) as error:
        _remove(made)
        raise DataError(f"{source} cannot be opened into {folder}: {error}") from error
    except DataError:
        _remove(made)
        raise


def _empty(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise DataError(f"{folder} is not empty; a bundle opens into a new folder")


def _remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _checked(source: Path, archive: zipfile.ZipFile, limits: Limits) -> list[zipfile.ZipInfo]:
    """The entries, if all of them may be unpacked."""
    infos = archive.infolist()
    if len(infos) > limits.entries_max:
        raise DataError(f"{source} has {len(infos)} entries, at most {limits.entries_max} are read")
    seen: set[str] = set()
    total = 0
    for info in infos:
        name = info.filename
        reason = _fault(info, limits)
        if name.lower() in seen:
            reason = "it is there twice"
        if reason:
            raise DataError(f"{source}, entry {visible(name)[:200]}: {reason}")
        seen.add(name.lower())
        total += info.file_size
    if total > limits.total_bytes_max:
        raise DataError(f"{source} unpacks to {total} bytes, at most {limits.total_bytes_max}")
    folders = {name.partition("/")[0] for name in seen if "/" in name}
    if clash := folders & seen:
        raise DataError(f"{source}: {min(clash)} is a file and a folder")
    return infos


def _fault(info: zipfile.ZipInfo, limits: Limits) -> str:
    """Why an entry may not be unpacked; "" when it may."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    if not is_name(info.filename) or info.orig_filename != info.filename:
        return "this is no name for an entry of a bundle"
    if kind not in (0, stat.S_IFREG):
        return "it is no plain file"
    if info.flag_bits & ENCRYPTED:
        return "it is encrypted"
    if info.compress_type not in METHODS:
        return f"compression method {info.compress_type} is not read"
    largest = limits.manifest_bytes_max if info.filename == MANIFEST else limits.entry_bytes_max
    if info.file_size > largest:
        return f"it has {info.file_size} bytes, at most {largest} are read"
    ratio_max = limits.ratio_max * max(info.compress_size, 1)
    if info.file_size > limits.ratio_from_bytes and info.file_size > ratio_max:
        return f"it grows more than {limits.ratio_max} times when it is unpacked"
    return ""


def _extract(
    source: Path,
    archive: zipfile.ZipFile,
    info: zipfile.ZipInfo,
    path: Path,
    limits: Limits,
    left: int,
) -> tuple[str, int]:
    """One entry into a new file; its digest and size. More bytes than stated are refused."""
    check = hashlib.sha256()
    size = 0
    with archive.open(info) as stream, path.open("xb") as target:
        path.chmod(0o600)
        while chunk := stream.read(CHUNK_BYTES):
            size += len(chunk)
            if size > min(info.file_size, left, limits.entry_bytes_max):
                raise DataError(f"{source}, entry {info.filename}: more bytes than it states")
            check.update(chunk)
            target.write(chunk)
    if size != info.file_size:
        raise DataError(f"{source}, entry {info.filename}: fewer bytes than it states")
    return check.hexdigest(), size
