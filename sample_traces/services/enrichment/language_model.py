"""A language model behind an HTTP interface: says of which sector a text is, or draws one."""

from __future__ import annotations

import math
import time

from sample_traces.services.enrichment.companies import SECTORS
from sample_traces.services.faults import index_of
from sample_traces.services.process import Host
from sample_traces.services.web import Answer, Json, Request, Route, dumps

NAME = "extract-small"
VERSION = "2026-04"
SHARPNESS = 0.6
COST_PER_TOKEN_USD = 0.0000002


def shares(text: str) -> dict[str, float]:
    """How likely each sector is, by the words of the text."""
    weights = {
        sector: math.exp(SHARPNESS * sum(word in text for word in words))
        for sector, words in sorted(SECTORS.items())
    }
    total = sum(weights.values())
    return {sector: weight / total for sector, weight in weights.items()}


def chosen(text: str, temperature: float, draw: float) -> str:
    """The likeliest sector at temperature 0, else one drawn by the sharpened shares."""
    likely = shares(text)
    if temperature == 0:
        return max(sorted(likely), key=lambda sector: likely[sector])
    heated = {sector: share ** (1 / temperature) for sector, share in likely.items()}
    point = draw * sum(heated.values())
    for sector, share in heated.items():
        point -= share
        if point < 0:
            return sector
    return max(sorted(likely), key=lambda sector: likely[sector])


def build(host: Host) -> dict[str, Route]:
    """The routes of the model."""

    def complete(request: Request) -> Answer:
        # The caller's conversation is the company; the prompt itself does not name it.
        company_id = str(request.body["user"])
        index = index_of(company_id)
        nth = host.book.arrive("POST /chat/completions", company_id, request.key)
        fate = host.plan.fate("language-model", "POST /chat/completions", index, nth)
        time.sleep(fate.latency_s)
        if fate.error_status is not None:
            return Answer(status=fate.error_status, body={"error": "overloaded"})
        text, temperature = str(request.body["text"]), float(request.body["temperature"])
        sector = chosen(text, temperature, host.plan.draw("sample", index, nth))
        host.book.write(
            "completions", flow_id=company_id, text=text, temperature=temperature, sector=sector
        )
        return Answer(status=200, body=_answer(request, text, sector))

    return {"/chat/completions": complete}


def _answer(request: Request, text: str, sector: str) -> Json:
    candidates = sorted(shares(text).items(), key=lambda item: (-item[1], item[0]))
    tokens = 90 + len(dumps(request.body)) // 4
    return {
        "model": {"name": NAME, "version": VERSION, "provider": "in-house"},
        "sector": sector,
        "candidates": [{"action": name, "score": round(share, 4)} for name, share in candidates],
        "usage": {
            "input_tokens": tokens,
            "output_tokens": 9,
            "cost_usd": round((tokens + 9) * COST_PER_TOKEN_USD, 8),
        },
    }
