"""Decisions of models: clients of OpenAI and Anthropic get their recorded answers, word by word."""

import importlib.util
import json
from typing import Any

import pytest

from replay.code.engine import Subject
from tests.replay.code.recorded import Call, run, subject
from tests.third_party import needs

STREAM = {"content-type": "text/event-stream"}
ASKED = [{"role": "user", "content": "Is it fraud?"}]
# From the start of the flow: the stream is asked for at 40 ms.
EVENT_MS = [10.0, 30.0, 70.0]
TIMES = [50, 70, 110]


def _events(*said: Any) -> str:
    return "".join(
        f"event: {it['type']}\ndata: {json.dumps(it)}\n\n"
        if isinstance(it, dict) and "type" in it
        else f"data: {it if isinstance(it, str) else json.dumps(it)}\n\n"
        for it in said
    )


def openai() -> Subject:
    def chunk(word: str) -> Any:
        choice = {"index": 0, "delta": {"content": word}, "finish_reason": None}
        return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
                "choices": [choice]}  # fmt: skip

    message = {"role": "assistant", "content": "no"}
    whole = {"id": "c", "object": "chat.completion", "created": 1, "model": "m",
             "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}  # fmt: skip
    path = "/v1/chat/completions"
    said = _events(chunk("I"), chunk("think"), chunk("not"), "[DONE]")
    return _two_calls(path, {"messages": ASKED, "model": "m"}, {"stream": True}, whole, said)


def anthropic() -> Subject:
    message = {"id": "m", "type": "message", "role": "assistant", "model": "m", "stop_reason": None,
               "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}}  # fmt: skip

    def word(text: str) -> Any:
        return {"type": "content_block_delta", "index": 0,
                "delta": {"type": "text_delta", "text": text}}  # fmt: skip

    start = {"type": "content_block_start", "index": 0,
             "content_block": {"type": "text", "text": ""}}  # fmt: skip
    said = _events(
        {"type": "message_start", "message": {**message, "content": []}}, start, word("I"),
        word("think"), word("not"), {"type": "content_block_stop", "index": 0},
        {"type": "message_stop"},
    )  # fmt: skip
    whole = {**message, "stop_reason": "end_turn", "content": [{"type": "text", "text": "no"}]}
    asked = {"max_tokens": 9, "messages": ASKED, "model": "m"}
    flow = _two_calls("/v1/messages", asked, {"stream": True}, whole, said)
    return flow


def _two_calls(path: str, asked: Any, streaming: Any, whole: Any, said: str) -> Subject:
    count = said.count("\n\n")
    before = 2 if count == 7 else 0
    events = [5.0] * before + EVENT_MS + [70.0] * (count - before - len(EVENT_MS))
    return subject(
        [
            Call(path=path, start_ms=1, end_ms=39, request=asked, response=whole),
            Call(path=path, start_ms=40, end_ms=45, request={**asked, **streaming}, raw=said,
                 headers=STREAM, event_ms=events),
        ],
        given={"id": "o-1"},
        output={"whole": "no", "words": ["I", "think", "not"], "times": TIMES}, end_ms=111,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["by_openai", "by_async_openai", "by_anthropic"])
def test_a_model_is_answered_whole_and_word_by_word_as_it_was(name: str) -> None:
    module = name.rpartition("_")[2]
    needs(module, installed=importlib.util.find_spec(module) is not None)
    flow = anthropic() if module == "anthropic" else openai()
    result = run(flow, f"models:{name}")
    assert result.verdict == "identical", (result.divergences, result.events)
    output: Any = result.events[-1]["output"]
    assert output["times"] == TIMES
    # OpenAI's client asks the machine what it is; it goes on without the answer, and that is told.
    assert all("uname" in flag for flag in result.flags)
