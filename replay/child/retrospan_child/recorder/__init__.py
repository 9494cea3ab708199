"""Records, in production, what a replay needs beyond spans: bodies, draws and waits.

In: the spans of OpenTelemetry's instrumentations of httpx, requests and aiohttp, through their
hooks. Out: attributes and log records under the conventions that retrospan reads. What goes wrong
in here is counted and never reaches the call. Start reading at `recording.py`; `bodies.py` says
what is kept of a body, `httpx.py`, `requests.py` and `aiohttp.py` where it is taken from.

    from retrospan_child.recorder import Recorder

    recorder = Recorder(redact=("iban",), key=os.environ["REDACTION_KEY"])
    HTTPXClientInstrumentor().instrument(**recorder.httpx())
    RequestsInstrumentor().instrument(**recorder.requests())
    AioHttpClientInstrumentor().instrument(**recorder.aiohttp())
    recorder.draws()
    recorder.timers()

A flow is what runs under `@flow` of `retrospan_child.marks`, or, where the code sets the flow's
attributes on a span of its own, in `with recorder.flow(span):`.
"""

from .recording import Recorder

__all__ = ["Recorder"]
