"""The model's double: answers every question at once with twenty chunks, or holds the stream open."""

from __future__ import annotations

import asyncio
import json
import re

from benchmarks.clock import ASKED, TOLD, Clock
from benchmarks.http import Exchange

CHUNKS = 20
HELD_SECONDS = 1.0

_WORDS = ("It depends on ", "what you would ", "like to know: ", "there are two ", "ways to see it, ")


class Model:
    """Knows a question by its number, `question 17`; its answer begins with `Answer 17:`."""

    def __init__(self, clock: Clock) -> None:
        """All streams run on the loop that serves."""
        self._clock = clock
        self._held: list[tuple[Exchange, int]] = []
        self.holding = False
        self.asked_by: dict[int, str] = {}  # the base address that a question last came to, by its number

    def answer(self, exchange: Exchange) -> None:
        """Answer a chat request; a list of models is asked for by `bot doctor` only."""
        number = last_number(exchange.body, b"question ")
        if number < 0:
            exchange.reply({"object": "list", "data": [{"id": "bench-1", "object": "model"}]})
            return
        self.asked_by[number] = exchange.path.removesuffix("/chat/completions")
        self._clock.note(number, ASKED)
        exchange.begin()
        exchange.send(_event({"role": "assistant", "content": ""}))
        texts = chunks(number)
        if self.holding:
            self._send(exchange, texts[:5])
            self._held.append((exchange, number))
            asyncio.get_running_loop().call_later(HELD_SECONDS, self._grow, exchange, number)
        else:
            self._send(exchange, texts)
            self._close(exchange)
        self._clock.note(number, TOLD)

    def release(self) -> None:
        """Let the streams that are held come to their ends."""
        self.holding = False
        for exchange, number in self._held:
            if not exchange.gone:
                self._send(exchange, chunks(number)[5:])
                self._close(exchange)
        self._held.clear()

    def _grow(self, exchange: Exchange, number: int) -> None:
        """A held stream says a word a second."""
        if self.holding and not exchange.gone:
            self._send(exchange, ["and so on "])
            asyncio.get_running_loop().call_later(HELD_SECONDS, self._grow, exchange, number)

    def _send(self, exchange: Exchange, texts: list[str]) -> None:
        for text in texts:
            exchange.send(_event({"content": text}))

    def _close(self, exchange: Exchange) -> None:
        exchange.send(_event({}, "stop"))
        usage = {"prompt_tokens": 200, "completion_tokens": 80, "total_tokens": 280}
        exchange.send(_line({**_FRAME, "choices": [], "usage": usage}))
        exchange.send(b"data: [DONE]\n\n")
        exchange.end()


def chunks(number: int) -> list[str]:
    """Write the answer in its twenty chunks, the last of which says that it is the last."""
    middle = [_WORDS[place % len(_WORDS)] for place in range(CHUNKS - 2)]
    return [f"Answer {number}: here is what I know. ", *middle, f"finis {number}."]


def last_number(body: bytes, word: bytes) -> int:
    """Find the number behind a word's last place in a request; -1 where it is not there."""
    at = body.rfind(word)
    found = re.match(rb"\d+", body[at + len(word) : at + len(word) + 12]) if at >= 0 else None
    return int(found[0]) if found else -1


_FRAME = {"id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 0, "model": "bench-1"}


def _event(delta: dict[str, str], finish: str | None = None) -> bytes:
    return _line({**_FRAME, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def _line(data: dict[str, object]) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"
