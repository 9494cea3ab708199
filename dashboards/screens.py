"""What a page shows when there is nothing to show, each time with the way out."""

from collections.abc import Callable

import streamlit as st

from dashboards import links
from dashboards.markup import heading, notes
from dashboards.scope import Scope
from dashboards.wording import clean, plural
from store.errors import (
    NotFoundError,
    RetrospanError,
    StoreBusyError,
    StoreMissingError,
    StoreVersionError,
)


def guarded(render: Callable[[], None]) -> None:
    """Runs a page; an error of the store becomes a screen that says what to do."""
    try:
        render()
    except StoreMissingError as error:
        _screen("No store yet", error, "Load recorded traces, then reload this page:")
        links.as_command("ingest", "PATH")
        st.text("PATH is a file or folder with OTLP, Jaeger or Zipkin data.")
    except StoreBusyError as error:
        _screen("The store is busy", error, "Nothing is lost. Wait for it to end, then try again.")
        st.button("Try again", type="primary")
    except StoreVersionError as error:
        _screen("The store has another version", error, "Upgrade it, then reload this page:")
        links.as_command("store", "upgrade")
    except NotFoundError as error:
        _screen("Not found", error, "The link may be older than the data, or the id is cut.")
        st.page_link(links.page("flows"), label="All flows")
    except RetrospanError as error:
        _screen("The store could not be read", error, "The command below tells more:")
        links.as_command("flows", "list")


def nothing_recorded() -> None:
    """The store is there and empty."""
    st.html(heading("Nothing recorded yet"))
    st.text("The store is there, and it holds no spans. Load recorded traces:")
    links.as_command("ingest", "PATH")
    st.text("Or look around with a recorded payment incident:")
    st.code("retrospan demo", language=None)


def nothing_derived(underived: int) -> None:
    """Spans are there, flows are not."""
    st.html(heading("No flows derived yet"))
    wait = "waits" if underived == 1 else "wait"
    st.text(
        f"{plural(underived, 'stored trace')} {wait} to be derived. Loading again derives them:"
    )
    links.as_command("ingest", "PATH")


def nothing_in_scope(scope: Scope) -> None:
    """Flows are there, none of them in the range, environment and service that were chosen."""
    st.html(heading("No flow in this selection"))
    st.text(f'Looked at: {scope.told()}. Choose more above, or press "Show all data".')


def _screen(title: str, error: RetrospanError, advice: str) -> None:
    st.html(heading(title))
    st.html(notes(clean(str(error)).splitlines(), tone="warn"))
    st.text(advice)
