"""Signed heads of the decision log: how large the tree was, its root, when, and who says so.

A head is the anchor that the log itself cannot be: kept elsewhere, it shows that a tail was cut off
or that everything was written anew. The signature is Ed25519 over the RFC 8785 bytes of all other
fields; its key comes from `retrospan.config.signing_key`, outside the data.
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from retrospan.documents import Document
from store import merkle
from store.decision_leaf import canonical
from store.errors import DataError

SCHEMA = "retrospan.tree_head/1"
SEED_LABEL = b"retrospan.head/1"
BYTES_MAX = 10_000_000
HASH_DIGITS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A head as it was read. `genuine` is whether the signature is that of its content."""

    tree_size: int
    root_hash: bytes
    signed_at: str
    public_key: str
    genuine: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchored:
    """What a head says of a log: `chain` is intact, broken or truncated; `said` puts it so."""

    chain: str
    said: str


def public_key(key: bytes) -> str:
    """The public half, in hex, of a signing key."""
    return _private(key).public_key().public_bytes_raw().hex()


def signed(
    leaves: Sequence[bytes], signed_at: str, key: bytes, earlier: Head | None = None
) -> Document:
    """The head of a log, with the proof that the log of an earlier head is its beginning.

    Raises ValueError when that log cannot have grown to this one.
    """
    document: Document = {
        "schema": SCHEMA,
        "tree_size": len(leaves),
        "root_hash": merkle.root(leaves).hex(),
        "signed_at": signed_at,
        "public_key": public_key(key),
        "earlier": None,
    }
    if earlier is not None:
        proof = merkle.consistency_proof(leaves, earlier.tree_size) if earlier.tree_size else []
        document["earlier"] = {
            "tree_size": earlier.tree_size,
            "root_hash": earlier.root_hash.hex(),
            "consistency": [step.hex() for step in proof],
        }
    return {**document, "signature": _private(key).sign(canonical(document)).hex()}


def read_head(path: Path) -> Head:
    """A head from its file. A wrong signature is no error here: `genuine` says so.

    Raises DataError when it is no head at all.
    """
    try:
        data = path.read_bytes()
        if len(data) > BYTES_MAX:
            raise DataError(f"{path} has {len(data)} bytes; a head has at most {BYTES_MAX}")
        document = json.loads(data)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from None
    except (ValueError, RecursionError):
        raise DataError(f"{path} is no JSON; a head is what `decisions head -o` wrote") from None
    try:
        return _head(document)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} is no head of a decision log ({error})") from None


def anchored(leaves: Sequence[bytes], head: Head, trusted: str | None) -> Anchored:
    """What a head says of the leaves at hand; `trusted` is the only key whose word counts."""
    who = f"{head.public_key[:16]}…"
    if not head.genuine:
        return Anchored(chain="broken", said="the signature of the head is not that of its content")
    if trusted is not None and head.public_key != trusted:
        return Anchored(
            chain="broken",
            said=f"the head is signed by {who}, not by the expected key {trusted[:16]}…; if that "
            "signer is right, give its key with --public-key",
        )
    if head.tree_size > len(leaves):
        return Anchored(
            chain="truncated",
            said=f"the log has {len(leaves)} leaves, {head.tree_size} when the head was signed at "
            f"{head.signed_at}: {head.tree_size - len(leaves)} are gone",
        )
    if merkle.root(leaves[: head.tree_size]) != head.root_hash:
        return Anchored(
            chain="broken",
            said=f"the first {head.tree_size} leaves are not those that were signed at "
            f"{head.signed_at}: the log was written anew, or is another one",
        )
    later = len(leaves) - head.tree_size
    return Anchored(
        chain="intact",
        said=f"the first {head.tree_size} leaves are those that {who} signed at {head.signed_at}"
        + (f"; {later} came later and no head vouches for them" if later else ""),
    )


def _private(key: bytes) -> Ed25519PrivateKey:
    seed = hmac.digest(key, SEED_LABEL, hashlib.sha256)
    return Ed25519PrivateKey.from_private_bytes(seed)


def _head(document: Any) -> Head:
    if document["schema"] != SCHEMA:
        raise ValueError(f"its schema is {document['schema']!r}, not {SCHEMA!r}")
    size, root_hash = document["tree_size"], bytes.fromhex(document["root_hash"])
    if type(size) is not int or size < 0 or len(root_hash) * 2 != HASH_DIGITS:
        raise ValueError("its size or root is none")
    told = {name: value for name, value in document.items() if name != "signature"}
    signer = Ed25519PublicKey.from_public_bytes(bytes.fromhex(document["public_key"]))
    try:
        signer.verify(bytes.fromhex(document["signature"]), canonical(told))
        genuine = True
    except InvalidSignature:
        genuine = False
    return Head(
        tree_size=size,
        root_hash=root_hash,
        signed_at=str(document["signed_at"]),
        public_key=str(document["public_key"]).lower(),
        genuine=genuine,
    )
