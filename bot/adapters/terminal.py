"""`bot chat`: a conversation in the terminal, or answers to the lines of a pipe."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO, cast
from uuid import uuid4

from rich.console import Console

from bot.adapters.keyboard import cancelled_by_ctrl_c, lines, next_text, prompt
from bot.adapters.screen import ENDED, Screen, plain
from bot.dialogue import (
    Accepted,
    Author,
    Channel,
    ChannelKind,
    Entry,
    EntryState,
    Message,
    Platform,
    Request,
    Why,
    Wish,
)
from bot.errors import StoreError
from bot.ports import Door, Transcripts, Words

MESSAGE_CHARACTERS = 40_000

_COMMAND = re.compile(r"/([a-z][a-z-]*)(?:\s(.*))?", re.IGNORECASE | re.DOTALL)


class Terminal:
    """
    One person's conversation with the bot, by the same door as everybody's.

    It goes on where it stood when the program is started again, until `/new`.
    """

    def __init__(
        self,
        door: Door,
        transcripts: Transcripts,
        words: Words,
        person: Author,
        language: str,
        console: Console,
        history: Path | None = None,
        source: TextIO | None = None,
    ) -> None:
        """
        Talk with `person` in `language` on `console`.

        `history` is the file that keeps what was typed; `source` is read instead of asking where the
        input is no terminal.
        """
        self._door = door
        self._transcripts = transcripts
        self._words = words
        self._person = person
        self._language = language
        self._console = console
        self._history = history
        self._source = source
        self._channel = Channel(
            Platform.CONSOLE, "local", person.id, kind=ChannelKind.DIRECT, name="terminal"
        )
        self._screen = Screen(console, *(self._say(key) for key in ("waiting", "slow", "again")))
        self._commands: dict[str, Callable[[str], Awaitable[bool]]] = {
            "new": self._begin_anew,
            "again": self._again,
            "good": lambda reason: self._wish(Wish.VOTE, "up", reason),
            "bad": lambda reason: self._wish(Wish.VOTE, "down", reason),
            "language": lambda tag: self._wish(Wish.LANGUAGE, tag),
            "why": self._tell_why,
            "help": self._help,
        }

    async def talk(self) -> int:
        """Talk until the person leaves or the input ends; return the program's exit code."""
        if self._source is not None:
            return await self._answer_lines(self._source)
        self._show("ready")
        session = prompt(self._history)
        while (text := await next_text(session)) is not None:
            await self._heed(text)
        self._show("goodbye")
        return 0

    async def _answer_lines(self, source: TextIO) -> int:
        well = True
        async for line in lines(source):
            if line.strip() in {"/quit", "/exit"}:
                break
            if line.strip():
                well = await self._heed(line) and well
        return 0 if well else 1

    async def _heed(self, text: str) -> bool:
        """Do what the text asks for; False if it came to nothing."""
        if not text.strip():
            return True
        command = _COMMAND.fullmatch(text.rstrip())
        if command is None:
            return await self._ask(plain(text).strip())
        name = command.group(1).lower()
        if name in self._commands:
            return await self._guarded(self._commands[name](plain(command.group(2) or "").strip()))
        self._show("unknown", command=f"/{name}")
        return False

    async def _ask(self, text: str) -> bool:
        if len(text) > MESSAGE_CHARACTERS:
            self._show("too-long", limit=f"{MESSAGE_CHARACTERS:,}")
            return False
        if not text:
            self._show("empty")
            return False
        message = Message(
            id=str(uuid4()),
            channel=self._channel,
            author=self._person,
            text=text.encode("utf-8", "replace").decode(),
            sent_at=datetime.now(UTC),
            mentions_bot=True,
        )
        return await self._guarded(self._exchange(message))

    async def _guarded(self, work: Awaitable[bool]) -> bool:
        try:
            return await work
        except StoreError:
            self._show("store-down")
            return False

    async def _exchange(self, message: Message) -> bool:
        refusals = {Accepted.IGNORED: "not-heard", Accepted.LIMITED: "rate-limited"}
        if (refusal := refusals.get(await self._door.accept(message))) is not None:
            self._show(refusal)
            return False
        return await self._follow(message.id)

    async def _follow(self, message_id: str) -> bool:
        """Show the answer to a message until it ends; Ctrl-C stops it."""
        if self._source is not None:
            return await self._print_answer(message_id)
        showing = asyncio.create_task(self._screen.show(self._answer(message_id)))
        with cancelled_by_ctrl_c(showing):
            await asyncio.wait({showing})
        if showing.cancelled():
            return await self._wish(Wish.STOP)
        ended = showing.result()
        if ended is not None and ended.state is EntryState.FAILED:
            self._show("failed")
        self._console.print()
        return True

    async def _print_answer(self, message_id: str) -> bool:
        """Print the whole answer as it was written, for whatever reads our output."""
        ended: Entry | None = None
        async for entry in self._answer(message_id):
            ended = entry
        if ended is None:
            return False
        self._console.print(plain(ended.text), markup=False, highlight=False, emoji=False, soft_wrap=True)
        return ended.state is EntryState.DONE

    async def _answer(self, message_id: str) -> AsyncIterator[Entry]:
        """Follow the answer to a message until it ends."""
        changes = self._transcripts.changes(self._channel)
        async with aclosing(cast("_Closable", changes)):
            async for _ in changes:
                entry = _answer_to(message_id, await self._transcripts.read(self._channel))
                if entry is not None:
                    yield entry
                    if entry.state in ENDED:
                        return

    async def _wish(self, wish: Wish, value: str = "", reason: str = "") -> bool:
        reply = await self._door.request(Request(wish, self._person, self._channel, "", value, reason))
        self._screen.say(reply.text)
        return reply.done

    async def _begin_anew(self, _: str) -> bool:
        return await self._wish(Wish.NEW)

    async def _again(self, _: str) -> bool:
        """Have the last answer written anew, and show it."""
        heard = [e for e in await self._transcripts.read(self._channel) if e.state is EntryState.HEARD]
        return await self._wish(Wish.AGAIN) and bool(heard) and await self._follow(heard[-1].id)

    async def _help(self, _: str) -> bool:
        self._show("help")
        return True

    async def _tell_why(self, _: str) -> bool:
        turn = await self._transcripts.turn_of(self._channel)
        why = await self._transcripts.why(turn) if turn else None
        if why is None:
            self._show("why-none")
            return False
        self._screen.say(self._reasons(why))
        return True

    def _reasons(self, why: Why) -> str:
        facts = self._say(
            "why-facts",
            model=why.model or "–",
            read=why.prompt_tokens or why.manifest.tokens,
            written=why.completion_tokens,
            seconds=f"{why.seconds:.1f}",
            attempts=why.attempts,
        )
        told = [f"**{self._say('why-title')}**", "", facts, "", f"**{self._say('why-read')}**", ""]
        for reason in why.reasons:
            how = self._say(f"why-{reason.reading}")
            who = f"**{reason.author}** " if reason.author else ""
            tokens = f"{reason.tokens} {self._say('why-tokens')}"
            told.append(f"- *{how}, {tokens}:* {who}{_short(plain(reason.text))}")
        notes = [self._say("why-pruned")] if why.pruned else why.manifest.notes
        return "\n".join([*told, *(f"- {plain(note)}" for note in notes)])

    def _show(self, key: str, **values: object) -> None:
        self._screen.say(self._say(key, **values))

    def _say(self, key: str, **values: object) -> str:
        return self._words.say(f"chat-{key}", self._language, **values)


class _Closable(AsyncIterator[None]):
    async def aclose(self) -> None: ...


def _answer_to(message_id: str, entries: Sequence[Entry]) -> Entry | None:
    """Find the answer of the turn that the message belongs to."""
    turn = next((entry.turn for entry in entries if entry.id == message_id), 0)
    answers = (entry for entry in entries if entry.turn == turn and entry.state is not EntryState.HEARD)
    return next(answers, None) if turn else None


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 120 else line[:119] + "…"
