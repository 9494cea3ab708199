"""What a view says of itself, so that a new view is one new file."""

from collections.abc import Mapping
from dataclasses import dataclass

from store.errors import InvariantError


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """Title, section and place of a view. `order` sorts within the whole menu."""

    title: str
    section: str
    order: int
    url_path: str
    default: bool = False
    listed: bool = True


def arrange(views: Mapping[str, PageFacts]) -> dict[str, list[tuple[str, PageFacts]]]:
    """Views by section, both in menu order; collisions fail at start, all in one message."""
    ordered = sorted(views.items(), key=lambda item: (item[1].order, item[0]))
    urls = [facts.url_path for _, facts in ordered]
    faults = [f"url_path {url!r} twice" for url in sorted({u for u in urls if urls.count(u) > 1})]
    defaults = [name for name, facts in ordered if facts.default]
    if len(defaults) != 1:
        faults.append(f"one default view expected, found {defaults}")
    if faults:
        raise InvariantError("views do not fit together: " + "; ".join(faults))
    sections: dict[str, list[tuple[str, PageFacts]]] = {}
    for name, facts in ordered:
        sections.setdefault(facts.section, []).append((name, facts))
    return sections
