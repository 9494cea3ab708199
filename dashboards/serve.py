"""Starts the pages as a local server."""

import ipaddress
import os
from pathlib import Path
from typing import Any

from store.errors import UsageError

STORE_VARIABLE = "RETROSPAN_DB"
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
    store_path: Path, host: str = "127.0.0.1", port: int = 8501, *, insecure: bool = False
) -> None:
    """Serves the pages over one store until stopped.

    Whoever reaches the port reads the whole store, so another address than loopback has to be
    asked for with `insecure`.
    """
    require_loopback(host, insecure=insecure)
    if not 0 < port < 65_536:
        raise UsageError(f"port {port} is not between 1 and 65535")
    import streamlit as st  # 1.8 s of imports that other commands need not wait for

    os.environ[STORE_VARIABLE] = str(store_path.resolve())
    st.App(_ENTRY).run(config=server_config(host, port))


def require_loopback(host: str, *, insecure: bool) -> None:
    """Refuses an address that other machines reach, unless it was asked for."""
    if not (insecure or is_loopback(host)):
        raise UsageError(
            f"{host} can be reached from other machines, and the pages ask for no password. "
            "Bind 127.0.0.1, or add --insecure when the network is trusted."
        )


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
        "browser.gatherUsageStats": False,
        "client.toolbarMode": "viewer",
        "client.showErrorLinks": False,
        "theme.paddingTop": "2.5rem",
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
