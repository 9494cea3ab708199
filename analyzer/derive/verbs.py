"""Which operation undoes which, judged by their words alone."""

import re
from functools import lru_cache
from typing import Final

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_STEMS: Final = (
    "unreserv", "reserv", "releas", "charg", "refund", "captur", "void", "creat", "delet", "book",
    "cancel", "debit", "credit", "authori", "deallocat", "allocat", "withdraw", "deposit",
    "deprovision", "provision", "unlock", "lock", "remov", "add", "hold", "pay", "ship", "revers",
    "compensat", "undo", "revert", "rollback", "order", "purchas", "restor",
)  # fmt: skip
PAIRS: Final = frozenset(
    {
        ("reserv", "releas"), ("reserv", "unreserv"), ("reserv", "cancel"), ("hold", "releas"),
        ("charg", "refund"), ("charg", "void"), ("charg", "revers"), ("pay", "refund"),
        ("pay", "revers"), ("captur", "void"), ("captur", "refund"), ("authori", "void"),
        ("authori", "revers"), ("creat", "delet"), ("book", "cancel"), ("order", "cancel"),
        ("purchas", "refund"), ("ship", "cancel"), ("debit", "credit"), ("withdraw", "deposit"),
        ("allocat", "deallocat"), ("allocat", "releas"), ("provision", "deprovision"),
        ("lock", "unlock"), ("add", "remov"), ("delet", "restor"),
    }
)  # fmt: skip
UNDOABLE: Final = frozenset({done for done, _ in PAIRS} - {"add", "delet"})
UNDOING: Final = frozenset({undo for _, undo in PAIRS} - {"credit", "deposit", "restor"})
ENGINE_COMPENSATION: Final = re.compile(
    r"^(compensate|undo|revert|rollback|cancel|void|refund|release|unreserve)"
    r"|(compensation|rollback|undo)$",
    re.IGNORECASE,
)
_SPACING: Final = re.compile(r"[ _-]+")
_ENGINE_PREFIX = re.compile(r"^(compensate|undo|revert|rollback)[ _-]?", re.IGNORECASE)
_ENGINE_SUFFIX = re.compile(r"[ _-]?(compensation|rollback|undo)$", re.IGNORECASE)


@lru_cache(maxsize=4096)
def stems(name: str) -> frozenset[str]:
    """The known verb stems in a name such as `POST /charges/{id}/refund`."""
    words = [word.lower() for word in _WORD.findall(name)]
    return frozenset(
        stem for word in words if (stem := next((s for s in _STEMS if word.startswith(s)), ""))
    )


@lru_cache(maxsize=4096)
def nouns(name: str) -> frozenset[str]:
    """The words of a name that are no verbs: what it acts on."""
    words = [word.lower() for word in _WORD.findall(name)]
    return frozenset(word.removesuffix("s") for word in words if not word.startswith(_STEMS))


@lru_cache(maxsize=4096)
def undoes(undo: str, done: str) -> bool:
    """Whether one operation reads like the undoing of the other."""
    after, before = stems(undo), stems(done)
    if before & UNDOING:
        return False
    if any(first in before and second in after for first, second in PAIRS):
        return True
    return _delete_of_post(undo, done)


def _delete_of_post(undo: str, done: str) -> bool:
    method, _, path = undo.partition(" ")
    other, _, origin = done.partition(" ")
    if (method, other) not in (("DELETE", "POST"), ("DELETE", "PUT")):
        return False
    return path == origin or path.rsplit("/", 1)[0] == origin


def engine_undoes(undo: str, done: str) -> bool:
    """Whether an activity is named as the compensation of another (`WithdrawCompensation`)."""
    bare = _ENGINE_PREFIX.sub("", _ENGINE_SUFFIX.sub("", undo))
    return bare != undo and _SPACING.sub("", bare).lower() == _SPACING.sub("", done).lower()
