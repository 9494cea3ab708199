"""Media types, as contents of a file list them and headers name them."""

from collections.abc import Mapping

from analyzer.contracts.references import Place


def plain(header: str | None) -> str:
    """The type and subtype of a `Content-Type`, lower case, without parameters."""
    return "" if header is None else header.partition(";")[0].strip().lower()


def fits(media: str, content: Mapping[str, object]) -> bool:
    """Whether a content lists the type, itself or by a range (`application/*`)."""
    return any(_matches(media, plain(listed)) for listed in content)


def _matches(media: str, listed: str) -> bool:
    if listed in (media, "*/*"):
        return True
    return listed.endswith("/*") and media.startswith(listed[:-1])


def json_schema_of(media: str, content: Mapping[str, Place | None]) -> Place | None:
    """The schema a JSON body is held against: of its own type, of the only JSON type without one.

    None where the content leaves open which it is, or has no schema.
    """
    listed = {plain(name): schema for name, schema in content.items()}
    if media:
        if media in listed:
            return listed[media] if is_json(media) else None
        ranges = [name for name in listed if name.endswith("/*") and _matches(media, name)]
        return listed[max(ranges, key=len)] if ranges and is_json(media) else None
    candidates = [name for name in listed if is_json(name) or name.endswith("/*")]
    return listed[candidates[0]] if len(candidates) == 1 == len(listed) else None


def is_json(media: str) -> bool:
    """Whether bodies of this type are JSON."""
    return media == "application/json" or media.endswith("+json")
