"""A message that grows natively, and what exactly stands in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from bot.adapters.slack.buttons import Block
from bot.adapters.slack.messages import Messages
from bot.adapters.slack.web import Web
from bot.adapters.slack.writing import harmless, steady
from bot.dialogue import Message, Piece


class Stream:
    """
    One native stream.

    Only what continues it can be appended. After any error it is unknown what stands, and the message
    has to be stopped and updated as a whole.
    """

    def __init__(self, messages: Messages, ts: str, asked: Piece, held: str) -> None:
        """`asked` is the newest piece it was to show, `held` what Slack was given of it so far."""
        self.ts = ts
        self.asked = asked
        self._messages = messages
        self._held = held

    @classmethod
    async def open(cls, web: Web, messages: Messages, question: Message, piece: Piece) -> Self:
        """
        Start a stream in the question's thread, with this text.

        Slack wants to know who reads along: the asking person (`recipient_…`, required in channels).
        One attempt: a call without an answer may have made a message.
        """
        held = harmless(steady(piece.text))
        answer = await web.call(
            "chat.startStream",
            channel=question.channel.id,
            thread_ts=question.channel.root,
            markdown_text=held,
            recipient_team_id=question.channel.workspace,
            recipient_user_id=question.author.id,
        )
        return cls(messages, str(answer["ts"]), piece, held)

    def follows(self, text: str) -> bool:
        """Say whether the text continues what stands."""
        return harmless(text).startswith(self._held)

    async def grow(self, piece: Piece) -> None:
        """Append what is new of the text."""
        grown = harmless(steady(piece.text))
        rest = grown[len(self._held) :]
        if rest:
            await self._messages.call("chat.appendStream", tries=1, ts=self.ts, markdown_text=rest)
            self._held = grown
        self.asked = piece

    async def stop(self, piece: Piece, under: Sequence[Block] = ()) -> None:
        """Append what is left of the text, and end the stream with these blocks."""
        rest = harmless(piece.text)[len(self._held) :]
        blocks = list(under) or None
        await self._messages.call("chat.stopStream", ts=self.ts, markdown_text=rest or None, blocks=blocks)
