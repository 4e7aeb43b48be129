"""Reads one streamed answer: what is shown of it, how long its silences may be, and how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

import aiohttp
from httpx2 import HTTPError
from openai import OpenAIError

from bot.dialogue import Delta, Usage
from bot.errors import AnswerRefused, BackendError, BackendSilent, StreamCut
from bot.generation.openai.chunks import Step
from bot.generation.openai.events import Event, Events
from bot.generation.openai.refusals import read_error
from bot.generation.openai.thoughts import Visible

# All that the SDK, its transport and the reading of garbage are known to raise.
FAILURES = (OpenAIError, HTTPError, aiohttp.ClientError, OSError, ValueError)

_AT_LIMIT = frozenset({"length", "max_tokens", "model_length"})
_REFUSED = frozenset({"content_filter", "sensitive", "safety", "refusal"})
# DeepSeek, Zhipu, vLLM and OpenRouter each have a word for a server that gave up in the middle.
_CUT = frozenset({"error", "insufficient_system_resource", "network_error", "abort", "cancelled"})

# How long the bill may come after the last word.
_EPILOGUE_SECONDS = 5.0


class WordlessAnswer(StreamCut):
    """The model ended its answer without a word of it."""


class Patience:
    """How long a server may be silent: to its first token, and between tokens; never on the whole."""

    def __init__(self, first_seconds: float, next_seconds: float) -> None:
        """The clock starts now."""
        self._next_seconds = next_seconds
        self._until = asyncio.get_running_loop().time() + first_seconds

    def waiting(self) -> asyncio.Timeout:
        """Bound what is awaited inside; it raises `TimeoutError`."""
        return asyncio.timeout_at(self._until)

    def heard(self, seconds: float | None = None) -> None:
        """A token came: the next may take as long again."""
        self._until = asyncio.get_running_loop().time() + (seconds or self._next_seconds)


class Reading:
    """One answer on its way in; `said` tells whether any of it was shown."""

    def __init__(
        self,
        events: Events,
        read: Callable[[object], Step],
        patience: Patience,
        model: str,
        tells_thoughts: bool = False,
    ) -> None:
        """`read` understands the server's dialect; the events stay the caller's to close."""
        self.said = False
        self._events = events
        self._read = read
        self._patience = patience
        self._model = model
        self._tells_thoughts = tells_thoughts
        self._visible = Visible()
        self._finish = ""
        self._usage: Usage | None = None
        self._rest = ""

    async def deltas(self) -> AsyncGenerator[Delta]:
        """Yield the answer; raise the `BackendError` that says why it is not whole."""
        failure: Exception | None = None
        while failure is None and (events := await self._next()):
            delta, failure = self._take(events)
            if delta is not None:
                yield delta
                self._listen_again()
        if failure is not None and not self._finish:  # else the answer is whole; only the bill is missing
            raise self._failure(failure) from failure
        if text := self._show("" if self.said else self._rest) or self._end():
            yield Delta(text, model=self._model)
        self._conclude()
        yield Delta(limited=self._finish in _AT_LIMIT, model=self._model, usage=self._usage)

    async def _next(self) -> Sequence[Event]:
        try:
            async with self._patience.waiting():
                return await self._events.next()
        except FAILURES as error:
            if self._finish:
                return ()
            raise self._failure(error) from error

    def _take(self, events: Sequence[Event]) -> tuple[Delta | None, Exception | None]:
        """Join what came at once into one delta; say too what was wrong with the event after it."""
        texts: list[str] = []
        thoughts: list[str] = []
        failure: Exception | None = None
        for event in events:
            try:
                step = self._read(event.parse())
            except (ValueError, BackendError) as error:
                failure = error
                break
            self._note(step)
            texts.append(step.text)
            thoughts.append(step.thought)
        text = self._show("".join(texts))
        thought = f"{''.join(thoughts)}{self._visible.thought()}" if self._tells_thoughts else ""
        return (Delta(text, thought, model=self._model) if text or thought else None), failure

    def _failure(self, error: Exception) -> BackendError:
        if isinstance(error, TimeoutError):
            return (
                StreamCut("no token came for too long")
                if self.said
                else BackendSilent("no token came in time")
            )
        told = error if isinstance(error, BackendError) else read_error(error)
        if self.said and not isinstance(told, AnswerRefused):
            return StreamCut(f"the stream broke off: {told}")
        return told

    def _note(self, step: Step) -> None:
        self._usage = step.usage or self._usage
        self._finish = step.finish or self._finish
        self._rest = step.whole or self._rest
        if step.alive:
            self._listen_again()

    def _listen_again(self) -> None:
        """Start the clock anew: for a token that came, and for the time the reader took over it."""
        self._patience.heard(_EPILOGUE_SECONDS if self._finish else None)

    def _show(self, text: str) -> str:
        shown = self._visible.feed(text) if text else ""
        self.said = self.said or bool(shown)
        return shown

    def _end(self) -> str:
        """Return what was held back: it was no thought."""
        rest = self._visible.rest() if self._finish else ""
        self.said = self.said or bool(rest)
        return rest

    def _conclude(self) -> None:
        if self._finish in _REFUSED:
            raise AnswerRefused("the provider's filter stopped the answer")
        if not self._finish or self._finish in _CUT:
            raise StreamCut("the stream ended before the answer did")
        if self.said:
            return
        wordless = WordlessAnswer(f"the model ended its answer without a word ({self._finish})")
        wordless.passing = self._finish not in _AT_LIMIT  # all its tokens went into thoughts, and would again
        raise wordless
