"""Goes to another address as a link does: one entry in the browser's history.

`st.switch_page` first writes the parameters into the address of the page that is left, so Back
would need two presses and show an address nobody asked for.

Entries of the history that were looked at are marked: a page that Back or Forward leads to is
shown at the address it had, and not sent on to another one instead.
"""

from collections.abc import Mapping
from urllib.parse import urlencode

import streamlit as st

_TICKET = "leave_ticket"

_HTML = """
<span class="leave" hidden></span>
"""
# The pages' own navigation listens to `popstate`; a ticket is used once, however often this draws.
_JS = """
const used = new Set();
export default function ({ data, setTriggerValue }) {
  if (used.has(data.ticket)) return;
  used.add(data.ticket);
  if (data.instead && window.history.state && window.history.state.seen) {
    setTriggerValue("stay", true);
    return;
  }
  const folder = window.location.pathname.replace(/[^/]*$/, "");
  const address = folder + data.page + (data.query ? "?" + data.query : "");
  if (data.instead) window.history.replaceState({}, "", address);
  else window.history.pushState({}, "", address);
  window.dispatchEvent(new PopStateEvent("popstate", { state: {} }));
}
"""

_MARK_JS = """
export default function () {
  window.history.replaceState({ ...window.history.state, seen: true }, "");
}
"""

_mount = st.components.v2.component("retrospan_leave", html=_HTML, js=_JS)
_mark = st.components.v2.component("retrospan_seen", html=_HTML, js=_MARK_JS)


def mark_seen(page: str) -> None:
    """Marks the address at hand, of the page with this path, as one that was looked at."""
    words = urlencode({name: st.query_params.get_all(name) for name in st.query_params}, doseq=True)
    _mark(key="seen", data={"address": f"{page}?{words}"}, height="content")


def leave(page: str, query: Mapping[str, str | list[str]], *, instead: bool = False) -> None:
    """Opens the page with this path, "" for the first one, once this run is drawn.

    With `instead` in the place of the address at hand: Back does not lead to that again. Where
    Back or Forward led there, it stays, and the page runs again.
    """
    number = st.session_state.get(_TICKET, 0) + 1
    st.session_state[_TICKET] = number
    words = urlencode(query, doseq=True)
    ticket = f"{number} {page} {words}"
    _mount(
        key=f"leave-{number}",
        data={"ticket": ticket, "page": page, "query": words, "instead": instead},
        on_stay_change=lambda: None,
        height="content",
    )
