"""Orders that ask a model, by the clients of its makers, whole and word by word."""

import time
from typing import Any

SHOP = "http://shop.example:8080"
ASKED: Any = [{"role": "user", "content": "Is it fraud?"}]


def by_openai(order: Any) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="none", base_url=SHOP + "/v1", max_retries=0)
    whole = client.chat.completions.create(model="m", messages=ASKED)
    words, times = [], []
    for chunk in client.chat.completions.create(model="m", messages=ASKED, stream=True):
        words.append(chunk.choices[0].delta.content)
        times.append(round(time.monotonic() * 1000))
    return {"whole": whole.choices[0].message.content, "words": words, "times": times}


async def by_async_openai(order: Any) -> Any:
    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key="none", base_url=SHOP + "/v1", max_retries=0)
    whole = await client.chat.completions.create(model="m", messages=ASKED)
    words, times = [], []
    async for chunk in await client.chat.completions.create(model="m", messages=ASKED, stream=True):
        words.append(chunk.choices[0].delta.content)
        times.append(round(time.monotonic() * 1000))
    return {"whole": whole.choices[0].message.content, "words": words, "times": times}


def by_anthropic(order: Any) -> Any:
    from anthropic import Anthropic

    client = Anthropic(api_key="none", base_url=SHOP, max_retries=0)
    whole: Any = client.messages.create(model="m", max_tokens=9, messages=ASKED)
    words, times = [], []
    with client.messages.stream(model="m", max_tokens=9, messages=ASKED) as stream:
        for text in stream.text_stream:
            words.append(text)
            times.append(round(time.monotonic() * 1000))
    return {"whole": whole.content[0].text, "words": words, "times": times}
