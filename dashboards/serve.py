"""Starts the pages as a local server."""

import importlib.util
import ipaddress
import os
import tomllib
from pathlib import Path
from typing import Any

from store.errors import DataError, UsageError

STORE_VARIABLE = "RETROSPAN_DB"
READ_ONLY_VARIABLE = "RETROSPAN_READ_ONLY"
TOKEN_CHARS_MIN = 16
SIGN_IN_NAMES = ("redirect_uri", "cookie_secret", "client_id", "server_metadata_url")
_ENTRY = Path(__file__).parent / "app.py"

# Okabe-Ito without yellow, which cannot be read on white, then Tol's muted tones.
_CATEGORIES = [
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#882255",
    "#999933",
]
_LIGHT = {
    "primaryColor": "#0072B2",
    "backgroundColor": "#FFFFFF",
    "secondaryBackgroundColor": "#F3F5F8",
    "textColor": "#17202B",
    "borderColor": "#CDD4DD",
    "linkColor": "#005E93",
    "chartCategoricalColors": _CATEGORIES,
}
_DARK = {
    "primaryColor": "#56B4E9",
    "backgroundColor": "#10151C",
    "secondaryBackgroundColor": "#1A222D",
    "textColor": "#E6EBF1",
    "borderColor": "#3A4654",
    "linkColor": "#7CC7F2",
    "chartCategoricalColors": _CATEGORIES,
}


def serve(
    store_path: Path,
    host: str = "127.0.0.1",
    port: int = 8501,
    *,
    insecure: bool = False,
    token: str | None = None,
    sign_in: Path | None = None,
    read_only: bool = False,
) -> None:
    """Serves the pages over one store until stopped; with `read_only` they never write to it.

    Whoever is let in reads the whole store, so another address than loopback needs a `token`, a
    `sign_in` file (TOML with Streamlit's `[auth]`), or `insecure`.
    """
    require_access(host, insecure=insecure, token=token, sign_in=sign_in)
    if not 0 < port < 65_536:
        raise UsageError(f"port {port} is not between 1 and 65535")
    import streamlit as st  # 1.8 s of imports that other commands need not wait for
    from starlette.middleware import Middleware

    from dashboards.access import SIGN_IN_VARIABLE, ReturnGate, TokenGate

    os.environ[STORE_VARIABLE] = str(store_path.resolve())
    os.environ[READ_ONLY_VARIABLE] = "1" if read_only else ""
    secrets = None if sign_in is None else read_sign_in(sign_in)
    if secrets is not None:
        os.environ[SIGN_IN_VARIABLE] = "1"
    gates = [] if token is None else [Middleware(TokenGate, token=token)]
    gates += [] if secrets is None else [Middleware(ReturnGate)]
    st.App(_ENTRY, middleware=gates, secrets=secrets).run(config=server_config(host, port))


def require_access(
    host: str, *, insecure: bool, token: str | None = None, sign_in: Path | None = None
) -> None:
    """Refuses an address that other machines reach without anything that keeps them out."""
    if token is not None and len(token) < TOKEN_CHARS_MIN:
        raise UsageError(f"a token needs at least {TOKEN_CHARS_MIN} characters")
    if sign_in is not None:
        read_sign_in(sign_in)
    if not (insecure or is_loopback(host) or token is not None or sign_in is not None):
        raise UsageError(
            f"{host} can be reached from other machines, and the pages ask for no password. "
            "Give a --token (or RETROSPAN_TOKEN) or --sign-in FILE, bind 127.0.0.1, or add "
            "--insecure when the network is trusted."
        )


def read_sign_in(path: Path) -> dict[str, Any]:
    """The `[auth]` table of a TOML file, as Streamlit's sign-in wants it."""
    if importlib.util.find_spec("authlib") is None:
        raise UsageError("--sign-in needs Authlib: pip install 'streamlit[auth]'")
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: the sign-in settings cannot be read: {error}") from None
    auth = found.get("auth")
    missing = [name for name in SIGN_IN_NAMES if not isinstance(auth, dict) or name not in auth]
    if missing:
        raise DataError(f"{path}: [auth] lacks {', '.join(missing)}")
    return {"auth": auth}


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def server_config(host: str, port: int) -> dict[str, Any]:
    """All settings, passed by value: a config.toml inside a package would not be read."""
    settings: dict[str, Any] = {
        "server.address": host,
        "server.port": port,
        "server.headless": True,
        "server.fileWatcherType": "none",
        "server.enableStaticServing": False,
        "server.maxUploadSize": 1,  # MB: a policy is the only file a page takes
        "browser.gatherUsageStats": False,
        "client.toolbarMode": "viewer",
        "client.showErrorLinks": False,
        "theme.paddingTop": "1rem",
        "theme.baseRadius": "6px",
        "theme.metricValueFontSize": "1.9rem",
        "theme.headingFontSizes": ["1.7rem", "1.4rem", "1.15rem", "1rem", "0.95rem", "0.9rem"],
    }
    settings |= {f"theme.light.{name}": value for name, value in _LIGHT.items()}
    settings |= {f"theme.dark.{name}": value for name, value in _DARK.items()}
    if is_loopback(host):
        # A page elsewhere that rebinds its name to 127.0.0.1 must not read the store.
        settings["server.allowedHosts"] = ["localhost", "127.0.0.1", "[::1]"]
    return settings
