"""The bar above every page: time range, environment, service. Its truth is the address.

In: what the store holds. Out: the `Scope` the page narrows its flows by. A page is left with its
scope: links carry it, and the menu, which knows no parameters, is given what was last chosen.
"""

from collections.abc import Mapping, Sequence

import streamlit as st

from dashboards import data
from dashboards.components.leave import leave
from dashboards.data import Holdings
from dashboards.links import PAGE_KEY, change_address
from dashboards.moments import local_text
from dashboards.scope import ALL, NAMES, VALUE_LENGTH_MAX, Scope, scope_of
from dashboards.wording import (
    clean,
    duration_text,
    markdown_safe,
    plural,
    shortened,
    time_text,
)
from retrospan.timespan import rfc3339
from store.conclusions import Incident

INCIDENTS_OFFERED_MAX = 20
TITLE_LENGTH_MAX = 60
LATEST = {"5m": "5 minutes", "15m": "15 minutes", "1h": "hour", "6h": "6 hours", "1d": "day",
          "7d": "7 days", "30d": "30 days"}  # fmt: skip
LATEST_THAT_FIT, OWN = "latest", "own"

_REMEMBERED = "range_bar_values"
Range = tuple[str, str]


def carry(url_path: str) -> bool:
    """Gives a page that was opened by the menu the scope of the page before: by another address in
    the place of the bare one, which is on its way when this says so."""
    before = st.session_state.get(PAGE_KEY)
    st.session_state[PAGE_KEY] = url_path
    remembered = st.session_state.get(_REMEMBERED)
    if before not in (None, url_path) and not carried() and remembered:
        given = {name: st.query_params.get_all(name) for name in st.query_params}
        leave(url_path, {**given, **remembered}, instead=True)
        return True
    st.session_state[_REMEMBERED] = carried()
    return False


def carried() -> dict[str, list[str]]:
    """The scope as the address has it, for links."""
    return {name: st.query_params.get_all(name) for name in NAMES if name in st.query_params}


def scope_in_force(holdings: Holdings, flows_max: int | None = None) -> Scope:
    """The scope that the address asks for.

    Where the store holds more than `flows_max` flows, a page that is asked for no range opens with
    the latest that are no more.
    """

    def opens_at(until_ns: int | None) -> int | None:
        whole = flows_max is None or holdings.flow_count <= flows_max
        return None if flows_max is None or whole else data.opens_at(flows_max, until_ns)

    return scope_of(carried(), holdings.last_ns, opens_at)


def range_bar(scope: Scope, holdings: Holdings, flows_max: int | None = None) -> None:
    """Draws the bar with the scope in force."""
    whole = flows_max is None or holdings.flow_count <= flows_max
    ranges = _ranges(holdings.incidents, whole)
    with st.container(gap="small"):
        time, environment, service = st.columns([4, 2, 3], gap="small")
        with time:
            _time(scope, holdings, ranges, flows_max)
        with environment:
            _environment(scope, holdings)
        with service:
            _services(scope, holdings)
        if _chosen_range(scope, ranges) == OWN or st.session_state.get("range-own"):
            _own_range(scope)
        for fault in scope.faults:
            st.warning(clean(fault), icon="⚠️")
        if scope.narrow:
            _told(scope, holdings, whole)


def _told(scope: Scope, holdings: Holdings, whole: bool) -> None:
    within = data.flow_count(scope)
    left, right = st.columns([6, 1], gap="small", vertical_alignment="center")
    with left:
        words = f"{plural(within, 'flow')} of {holdings.flow_count:,}: {scope.told()}."
        st.text(words, help=_own_times(scope))
    with right:
        st.button(
            "Show all data", key="range-clear", type="tertiary", on_click=_clear, args=(whole,)
        )


def _own_times(scope: Scope) -> str | None:
    """The ends of the range in the reader's own time."""
    zone = st.context.timezone
    ends = (("from", scope.since_ns), ("to", scope.until_ns))
    told = [f"{word} {own}" for word, at_ns in ends if (own := local_text(at_ns, zone))]
    return markdown_safe(", ".join(told)) or None


def _time(
    scope: Scope, holdings: Holdings, ranges: Mapping[str, Range], flows_max: int | None
) -> None:
    chosen = OWN if st.session_state.get("range-own") else _chosen_range(scope, ranges)
    st.session_state["range-time"] = chosen
    words = {ALL: "All data", OWN: "From … to …"}
    words[LATEST_THAT_FIT] = f"Latest {flows_max or 0:,} flows: answered at once"
    words |= {key: f"Last {text} of the data" for key, text in LATEST.items()}
    words |= {one.incident_id: _incident_words(one) for one in _offered(holdings.incidents)}
    st.selectbox(
        "Time (UTC, by start of the flow)",
        [*ranges, OWN],
        key="range-time",
        format_func=lambda key: words.get(key, key),
        on_change=_write_range,
        args=(ranges,),
    )


def _offered(incidents: Sequence[Incident]) -> Sequence[Incident]:
    return incidents[:INCIDENTS_OFFERED_MAX]


def _incident_words(incident: Incident) -> str:
    title = shortened(clean(incident.title), TITLE_LENGTH_MAX)
    took = duration_text(incident.end_ns - incident.start_ns)
    return f"Incident {time_text(incident.start_ns, digits=0)}, {took}: {title}"


def _ranges(incidents: Sequence[Incident], whole: bool) -> dict[str, Range]:
    """What each choice of the list writes into the address."""
    opening: dict[str, Range] = {ALL: ("", "")}
    if not whole:
        opening = {LATEST_THAT_FIT: ("", ""), ALL: (ALL, "")}
    ranges = opening | {key: (key, "") for key in LATEST}
    windows = {
        one.incident_id: (rfc3339(one.start_ns), rfc3339(one.end_ns)) for one in _offered(incidents)
    }
    return ranges | windows


def _chosen_range(scope: Scope, ranges: Mapping[str, Range]) -> str:
    written = (scope.since, scope.until)
    if written == (ALL, "") and ALL in ranges:
        return ALL
    known = {window: key for key, window in reversed(list(ranges.items()))}
    return known.get(written, OWN)


def _write_range(ranges: Mapping[str, Range]) -> None:
    chosen = st.session_state["range-time"]
    st.session_state["range-own"] = chosen == OWN
    if chosen in ranges:
        begin, end = ranges[chosen]
        change_address({"from": begin, "to": end})


def _own_range(scope: Scope) -> None:
    columns = st.columns(2, gap="small")
    for column, label, name, value in (
        (columns[0], "From", "from", scope.since),
        (columns[1], "To", "to", scope.until),
    ):
        key = f"range-{name}"
        st.session_state[key] = value
        with column:
            st.text_input(
                f"{label} (UTC: 2026-03-04T10:00:00Z, or 2h before the end of the data)",
                key=key,
                max_chars=VALUE_LENGTH_MAX,
                on_change=_write_text,
                args=(key, name),
            )


def _environment(scope: Scope, holdings: Holdings) -> None:
    known = holdings.environments
    options = ["", *dict.fromkeys([*known, *([scope.environment] if scope.environment else [])])]
    st.session_state["range-env"] = scope.environment
    none_known = not known and not scope.environment
    st.selectbox(
        "Environment",
        options,
        key="range-env",
        format_func=lambda name: clean(name) or ("none recorded" if none_known else "all"),
        disabled=none_known,
        on_change=_write_text,
        args=("range-env", "env"),
    )


def _services(scope: Scope, holdings: Holdings) -> None:
    known = holdings.services
    st.session_state["range-service"] = list(scope.services)
    st.multiselect(
        "Service takes part",
        list(dict.fromkeys([*known, *scope.services])),
        key="range-service",
        format_func=clean,
        placeholder="all",
        on_change=_write_services,
    )


def _write_text(key: str, name: str) -> None:
    change_address({name: str(st.session_state[key]).strip()})


def _write_services() -> None:
    change_address({"service": list(st.session_state["range-service"])})


def clear_range() -> None:
    """Back to the range that pages open with; environment and service stay."""
    st.session_state["range-own"] = False
    change_address({"from": "", "to": ""})


def _clear(whole: bool) -> None:
    st.session_state["range-own"] = False
    change_address({**dict.fromkeys(NAMES, ""), "from": "" if whole else ALL})
