"""Local activities: run inside the worker, recorded afterwards by a marker."""

from ingest.history.events import Event, Object, object_in, text_in
from ingest.history.failures import failure_of
from ingest.history.operations import ATTEMPT, REQUEST, RESPONSE
from ingest.history.payloads import answer_of, arguments_of
from ingest.span_draft import SpanDraft
from ingest.times import BadTimeError, epoch, rfc3339

LOCAL_MARKERS = frozenset({"LocalActivity", "core_local_activity"})


def local_activity(draft: SpanDraft, event: Event) -> None:
    """Make of a draft the local activity that a marker tells of.

    Java writes `type`, `activityId`, `time`, `meta` one by one; the core-based SDKs write one
    `data` object. Where no start is told the span has the marker's time and no length.
    """
    details = object_in(event.attributes, "details")
    data = answer_of(details.get("data"))
    told: Object = data if isinstance(data, dict) else {}
    meta = answer_of(details.get("meta"))
    kind = told.get("activity_type") or answer_of(details.get("type")) or "unknown"
    name = told.get("activity_id") or answer_of(details.get("activityId")) or str(event.id)
    draft.name = f"RunActivity:{kind}"
    draft.put("temporalActivityID", name)
    draft.put("retrospan.activity.local", True)
    draft.put("retrospan.history.event_id", event.id)
    meta_attempt = meta.get("atpt") if isinstance(meta, dict) else None
    draft.put(ATTEMPT, told.get("attempt") or meta_attempt)
    draft.body(REQUEST, arguments_of(details.get("input")))
    began = _when(told.get("original_schedule_time"))
    if began is None and isinstance(meta, dict):
        began = _when(meta.get("firstSkd"))
    ended = _when(told.get("complete_time")) or event.time_ns
    draft.start_ns = min(began or event.time_ns, ended)
    if object_in(event.attributes, "failure"):
        failure = failure_of(event.attributes, "Failed")
        draft.fail(ended, failure.type, failure.message)
    else:
        if text_in(event.attributes, "markerName") and "result" in details:
            draft.body(RESPONSE, answer_of(details["result"]))
        draft.close(ended)


def _when(raw: object) -> int | None:
    """A time in one of the ways the SDKs write it into a marker."""
    try:
        if isinstance(raw, dict):
            seconds, nanos = raw.get("seconds"), raw.get("nanos")
            total = int(seconds or 0) * 10**9 + int(nanos or 0)
            return epoch(total, 1)
        if isinstance(raw, int):
            return epoch(raw, 1_000_000)
        return rfc3339(raw)
    except (BadTimeError, TypeError, ValueError):
        return None
