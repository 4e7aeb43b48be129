"""Reads one streamed answer: what is shown of it, how long its silences may be, and how it ended."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator

import aiohttp
from httpx2 import HTTPError
from openai import AsyncStream, OpenAIError

from bot.dialogue import Delta, Usage
from bot.errors import AnswerRefused, BackendError, BackendSilent, StreamCut
from bot.generation.openai.chunks import Step, Visible, read_step
from bot.generation.openai.refusals import read_error

# All that the SDK, its transport and the reading of garbage are known to raise.
FAILURES = (OpenAIError, HTTPError, aiohttp.ClientError, OSError, ValueError)

_AT_LIMIT = frozenset({"length", "max_tokens", "model_length"})

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

    def __init__(self, stream: AsyncStream[object], patience: Patience, model: str) -> None:
        """The stream stays the caller's to close."""
        self.said = False
        self._stream = stream
        self._patience = patience
        self._model = model
        self._visible = Visible()
        self._finish = ""
        self._usage: Usage | None = None
        self._read_whole = False

    async def deltas(self) -> AsyncGenerator[Delta]:
        """Yield the answer; raise the `BackendError` that says why it is not whole."""
        while (step := await self._next()) is not None:
            self._note(step)
            if text := self._show(step.text):
                yield Delta(text, model=self._model)
                self._listen_again()
        if text := self._show(""):
            yield Delta(text, model=self._model)
        self._conclude()
        yield Delta(limited=self._finish in _AT_LIMIT, model=self._model, usage=self._usage)

    async def _next(self) -> Step | None:
        try:
            async with self._patience.waiting():
                return await self._read()
        except StopAsyncIteration:
            return None
        except (*FAILURES, BackendError) as error:
            if self._finish:  # the answer is whole; only the bill is missing
                return None
            raise self._failure(error) from error

    async def _read(self) -> Step:
        kind = self._stream.response.headers.get("content-type", "")
        if not kind.startswith(("application/json", "text/html")):
            return read_step(await anext(self._stream))
        if self._read_whole:
            raise StopAsyncIteration
        self._read_whole = True
        return read_step(json.loads(await self._stream.response.aread()))

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
        if step.text or step.thought or step.finish:
            self._listen_again()

    def _listen_again(self) -> None:
        """Start the clock anew: for a token that came, and for the time the reader took over it."""
        self._patience.heard(_EPILOGUE_SECONDS if self._finish else None)

    def _show(self, text: str) -> str:
        shown = self._visible.feed(text) if text else self._visible.rest() if self._finish else ""
        self.said = self.said or bool(shown)
        return shown

    def _conclude(self) -> None:
        if self._finish == "content_filter":
            raise AnswerRefused("the provider's filter stopped the answer")
        if not self._finish or self._finish in {"error", "insufficient_system_resource"}:
            raise StreamCut("the stream ended before the answer did")
        if self.said:
            return
        wordless = WordlessAnswer(f"the model ended its answer without a word ({self._finish})")
        wordless.passing = self._finish not in _AT_LIMIT  # all its tokens went into thoughts, and would again
        raise wordless
