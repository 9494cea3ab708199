"""The entry script: finds the views by their place and runs the one that was asked for."""

from importlib import import_module
from pathlib import Path

import streamlit as st

from dashboards.access import sign_out_part, signed_in
from dashboards.components import range_bar
from dashboards.components.leave import mark_seen
from dashboards.pages import PageFacts, arrange

FLAT_MENU_MAX = 12  # with more pages the menu shows its sections

_HERE = Path(__file__).parent
# A waterfall needs the width that wide pages still leave empty; the small grey print of captions is
# below 4.5 : 1 as it comes; on a narrow window the titles and numbers of six cards are cut off.
# What marks an address takes no room.
_STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding-left: 2rem; padding-right: 2rem; }
[data-testid="stCaptionContainer"] { opacity: .78 !important; }
[data-testid="stMetricLabel"] * { white-space: normal !important; }
.st-key-seen { position: absolute; }
[data-testid="stMetricValue"] { font-size: clamp(1.15rem, 1.9vw, 1.9rem) !important; }
</style>"""


def found_views() -> dict[str, PageFacts]:
    """Facts of every view: each file in views/ holds one page."""
    names = sorted(path.stem for path in (_HERE / "views").glob("[a-z]*.py"))
    return {name: import_module(f"dashboards.views.{name}").PAGE for name in names}


def main() -> None:
    """Sets the window up and shows a page."""
    icon = str(_HERE / "icon.svg")  # a file: a named icon would be fetched from elsewhere
    st.set_page_config(page_title="retrospan", page_icon=icon, layout="wide")
    st.logo(icon, size="large")
    st.html(_STYLE)
    if not signed_in():
        return
    menu = {
        section: [
            st.Page(
                _HERE / "views" / f"{name}.py",
                title=facts.title,
                url_path=facts.url_path,
                default=facts.default,
                visibility="visible" if facts.listed else "hidden",
            )
            for name, facts in members
        ]
        for section, members in arrange(found_views()).items()
    }
    flat = [page for pages in menu.values() for page in pages]
    few = len(flat) <= FLAT_MENU_MAX
    page = st.navigation(flat if few else menu, position="top")
    if not range_bar.carry(page.url_path):
        mark_seen(page.url_path)
        page.run()
    sign_out_part()


if __name__ == "__main__":
    main()
