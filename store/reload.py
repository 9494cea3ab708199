"""What a second reading of the same bytes takes the place of.

A log record has no id. Its former reading is one that was recorded at the same time, in the same
span and severity, and that the input no longer gives; of several the one with the same body.
"""

from collections import defaultdict
from collections.abc import Sequence

from store import columns, rows
from store.lease import Session
from store.rows import Row

LogKey = tuple[object, object]  # time, content hash
_Place = tuple[object, ...]
_BODY = columns.LOG_SCHEMA.get_field_index("body")


def former_logs(session: Session, new: Sequence[Row], given: Sequence[Row]) -> list[LogKey]:
    """Keys of the stored records that the `new` ones replace; `given` are all incoming ones."""
    if not new:
        return []
    times = rows.table({(row[0],) for row in new}, columns.TIMES)
    still = {(row[0], row[-1]) for row in given}
    stored: dict[_Place, list[tuple[str, LogKey]]] = defaultdict(list)
    for *place, body, digest in session.rows_over("read/logs_at", "incoming", times):
        key = (place[0], digest)
        if key not in still:
            stored[tuple(place)].append((body, key))
    found: list[LogKey] = []
    waiting: list[list[tuple[str, LogKey]]] = []
    for row in sorted(new, key=repr):
        candidates = stored.get(tuple(row[:5]), [])
        same = next((it for it in candidates if it[0] == row[_BODY]), None)
        if same is None:
            waiting.append(candidates)
        else:
            candidates.remove(same)
            found.append(same[1])
    found += [candidates.pop(0)[1] for candidates in waiting if candidates]
    return found
