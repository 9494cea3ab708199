"""What a model answered, out of the many shapes that answers are recorded in."""

from collections.abc import Iterator
from dataclasses import dataclass

from ingest.jsonstream import UndecodableError, decode_plain

NODES_MAX = 2_000
TEXT_CHARS = 200

_CALL_TYPES = frozenset({"tool_call", "tool-call", "function_call", "tool_use", "toolCall"})
_CALL_LISTS = ("tool_calls", "toolCalls")
_FINISH = ("finish_reason", "finishReason", "stop_reason", "finish_reasons")
_TEXTS = ("content", "text", "output_text", "value")
# What emitters write of a message that has no text: it only calls tools.
_NOTHING = ("None", "null", "undefined")
# What a response repeats of its request: tools that were offered, not called.
_REPEATED = frozenset({"tools", "tool_choice", "toolDefinitions", "config", "input", "metadata"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Tools the model called, the beginning of its first text, why it stopped."""

    tools: tuple[str, ...] = ()
    text: str = ""
    finish: str = ""

    @property
    def chosen(self) -> str:
        """The action in one line: the tools called, else what it said, else why it stopped."""
        return ", ".join(self.tools) or self.text or self.finish


def answer_in(value: object) -> Answer:
    """The answer in a message, a list of them, or a provider's whole response."""
    tools: list[str] = []
    text = finish = ""
    for node in _nodes(parsed(value)):
        if isinstance(node, str):
            text = text or ("" if node in _NOTHING else short(node))
            continue
        if not isinstance(node, dict):
            continue
        tools += _calls(node)
        for name in _TEXTS:
            said = node.get(name)
            if not text and isinstance(said, str) and said.strip():
                text = short(said)
        for name in _FINISH:
            finish = finish or _word(node.get(name))
    return Answer(tools=tuple(tools[:16]), text=text, finish=finish)


def parsed(value: object) -> object:
    """A value as JSON where text holds JSON, else as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return decode_plain(value.encode("utf-8", "replace"))
        except UndecodableError:
            return value
    return value


def short(text: str) -> str:
    """The beginning of a text on one line."""
    return " ".join(text[: TEXT_CHARS * 4].split())[:TEXT_CHARS]


def _word(value: object) -> str:
    if isinstance(value, list):
        value = value[0] if value else None
    return value[:TEXT_CHARS] if isinstance(value, str) else ""


def _nodes(value: object) -> Iterator[object]:
    """The value with what lies inside it, outer before inner, in the order written."""
    queue = [value]
    at = 0
    while at < len(queue) and at < NODES_MAX:
        node = queue[at]
        at += 1
        yield node
        if isinstance(node, list):
            queue.extend(item for item in node if isinstance(item, dict | list))
        elif isinstance(node, dict):
            queue.extend(
                item
                for key, item in node.items()
                if isinstance(item, dict | list) and key not in _REPEATED
            )


def _calls(node: dict[str, object]) -> Iterator[str]:
    if node.get("type") in _CALL_TYPES:
        yield from _name(node)
        return
    single = node.get("function_call")
    if isinstance(single, dict):
        yield from _name(single)
    for key in _CALL_LISTS:
        calls = node.get(key)
        for call in calls if isinstance(calls, list) else ():
            if isinstance(call, dict) and call.get("type") not in _CALL_TYPES:
                inner = call.get("function")
                yield from _name(inner if isinstance(inner, dict) else call)


def _name(call: dict[str, object]) -> Iterator[str]:
    for key in ("name", "toolName", "tool_name"):
        name = call.get(key)
        if isinstance(name, str) and name:
            yield name[:TEXT_CHARS]
            return
