"""What the code may not do in a replay: real sockets, other processes, writing files.

An audit hook (PEP 578) sees these however they are reached, and cannot be taken off again.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from .world import WORLD

_BLOCKED = (
    "socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo",
    "socket.gethostbyname", "socket.gethostbyaddr", "subprocess.Popen", "os.system", "os.exec",
    "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "pty.spawn", "os.remove", "os.rename",
    "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown",
    "os.kill", "shutil.rmtree", "shutil.move", "shutil.copyfile", "ftplib.connect",
    "smtplib.connect", "imaplib.open", "sqlite3.connect", "ctypes.dlopen",
)  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# They reach the network past Python, where no hook of Python's sees them.
NATIVE = (
    "grpc", "psycopg", "psycopg2", "asyncpg", "pycurl", "uvloop", "confluent_kafka", "pymongo",
    "MySQLdb", "cx_Oracle", "oracledb", "zmq", "pyodbc", "curl_cffi",
)  # fmt: skip


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if not WORLD.active:
        return
    if event == "open":
        path, mode, flags = args[0], args[1], args[2]
        writes = any(letter in mode for letter in "wax+") if mode else bool(flags & _WRITING)
        if not writes or isinstance(path, int) or path == os.devnull:
            return
        WORLD.report("blocked", f"writing {path!r}")
        raise OSError(30, "replay: files are not written", str(path))
    if event in _BLOCKED:
        WORLD.report("blocked", f"{event} {_shown(args)}")
        raise PermissionError(f"replay: {event} is blocked")


def _shown(args: tuple[Any, ...]) -> str:
    told = [str(it) for it in args if isinstance(it, (str, bytes, int, tuple, list))]
    return " ".join(told)[:200]


def native() -> list[str]:
    """Modules that were imported and could reach the network past every guard here."""
    return sorted(name for name in NATIVE if name in sys.modules)


def install() -> None:
    """Put the hook in place; it acts only while a flow is replayed."""
    sys.dont_write_bytecode = True
    sys.addaudithook(_hook)
